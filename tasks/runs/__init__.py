"""Commands: trainings found or made, and what is shown of them."""
