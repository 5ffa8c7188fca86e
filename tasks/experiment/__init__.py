"""What an experiment is: a task, its flags, a method, a loss."""
