"""A batch that is made while a step runs."""

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class OneAhead:
    """Calls a function of 0, 1, 2, ..., for the next index ahead of time.

    Once two calls have followed one another, a thread makes the next value while the
    caller is at work. The function never runs twice at once, values are those of
    calls in any order, and an error comes when its own value is asked for.

    The workers of `keras.utils.PyDataset` would begin at the first batch again with
    each epoch of `fit(steps_per_epoch=...)`.

    Args:
        length: The index to stop before.

    Call arguments:
        fn: Function of an index, whose values follow from it alone; always the same.
            It is not kept, so that whose method it is can go.
        index: What to call it with.

    Example:

    >>> ahead = OneAhead(length=3)
    >>> [ahead(lambda i: i * i, i) for i in range(3)]
    [0, 1, 4]
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="one_ahead")
        self._last: int | None = None
        self._next: Future | None = None

    def __call__(self, fn: Callable[[int], Any], index: int) -> Any:
        ahead, self._next = self._next, None
        follows = self._last is not None and index == self._last + 1
        self._last = index
        if ahead is None:
            value = fn(index)
        elif follows:
            value = ahead.result()
        else:
            ahead.exception()  # Until it has ended, whatever it gave.
            value = fn(index)
        if follows and index + 1 < self._length:
            self._next = self._thread.submit(fn, index + 1)
        return value
