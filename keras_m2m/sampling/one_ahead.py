"""A batch that is made while a step runs."""

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class OneAhead:
    """Values of a function of 0, 1, 2, ..., the next of which is made ahead of time.

    Once two calls have followed one another, a thread makes the next value while the
    caller is at work. The function never runs twice at once, values are those of
    calls in any order, and an error comes when its own value is asked for.

    The workers of `keras.utils.PyDataset` would begin at the first batch again with
    each epoch of `fit(steps_per_epoch=...)`.

    Args:
        fn: Function of an index, whose values follow from it alone.
        length: The index to stop before.

    Example:

    >>> squares = OneAhead(lambda i: i * i, length=3)
    >>> [squares(i) for i in range(3)]
    [0, 1, 4]
    """

    def __init__(self, fn: Callable[[int], Any], length: int) -> None:
        self._fn, self._length = fn, length
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="one_ahead")
        self._last: int | None = None
        self._ahead: Future | None = None

    def __call__(self, index: int) -> Any:
        ahead, self._ahead = self._ahead, None
        follows = self._last is not None and index == self._last + 1
        self._last = index
        value = self._value(ahead, index, follows)
        if follows and index + 1 < self._length:
            self._ahead = self._thread.submit(self._fn, index + 1)
        return value

    def _value(self, ahead, index, follows):
        if ahead is None:
            return self._fn(index)
        if follows:
            return ahead.result()
        ahead.exception()  # Until it has ended, whatever it gave.
        return self._fn(index)
