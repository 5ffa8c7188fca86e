"""What a training left: found again by what it is."""
