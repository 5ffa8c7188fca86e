"""Data sets: read, split, and made into the samples of a network."""
