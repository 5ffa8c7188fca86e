"""What `benchmarks/keel.py` consists of: tables, methods, records, tests, a page."""

import setting  # noqa: F401  finds keras_m2m and tasks
