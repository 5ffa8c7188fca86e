"""What people call the three splits, in files and in folders."""

# In lower case; any case is accepted.
SPLITS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}
EXPECTED = "train, validation (val, valid) and test"
