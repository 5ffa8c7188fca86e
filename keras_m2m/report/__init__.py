"""A report that decides: which method to use, and how far to trust it.

`report` takes predictions of any classifiers on held-out samples. It needs
`pip install jinja2 matplotlib scikit-learn`, and is not imported by `import keras_m2m`.
"""

from keras_m2m.report.advice import Advice
from keras_m2m.report.held import Held
from keras_m2m.report.parts import Grid
from keras_m2m.report.parts import Part
from keras_m2m.report.report import Report
from keras_m2m.report.report import report

__all__ = ["Advice", "Grid", "Held", "Part", "Report", "report"]
