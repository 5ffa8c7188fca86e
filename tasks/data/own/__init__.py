"""Data that users bring: found, read and checked."""
