"""The experiments: one module per dataset, run as `python -m tasks.NAME`."""
