"""BatchNorm, dense, activation, dense: forward and back by hand, one sample each.

In NumPy and float64, without Keras: equal to this on every backend means equal
between the backends.
"""

import numpy as np

from helpers import oracles

EPSILON = 1e-3


class Network:
    """A network in inference mode, from vectors `(d,)` to logits `(K,)`.

    `activation` is `"tanh"` or `"relu"`; the weights are drawn from `seed`.
    """

    def __init__(self, d, hidden, num_classes, activation, seed):
        rng = np.random.default_rng(seed)
        # Drawn as float32, so that Keras and this hold the same numbers.
        draw = lambda *shape: rng.normal(size=shape).astype("float32")  # noqa: E731
        self.activation = activation
        self.gamma, self.beta, self.mean = draw(d), draw(d), draw(d)
        self.variance = np.exp(draw(d))
        self.w1, self.b1 = draw(d, hidden), draw(hidden)
        self.w2, self.b2 = draw(hidden, num_classes), draw(num_classes)

    def logits(self, x):
        return self._forward(x)[1] @ self._double("w2") + self._double("b2")

    def gradient(self, x, wanted):
        """Of `wanted @ logits` with respect to `x`, `wanted` being `(K,)`."""
        before, after = self._forward(x)
        slope = 1 - after**2 if self.activation == "tanh" else before > 0
        back = self._double("w1") @ (slope * (self._double("w2") @ wanted))
        return back * self._factor()

    def _forward(self, x):
        normalised = (x - self._double("mean")) * self._factor() + self._double("beta")
        before = normalised @ self._double("w1") + self._double("b1")
        tanh = self.activation == "tanh"
        return before, np.tanh(before) if tanh else np.maximum(before, 0)

    def _factor(self):
        return self._double("gamma") / np.sqrt(self._double("variance") + EPSILON)

    def _double(self, name):
        return getattr(self, name).astype("float64")


def translate(f, g, starts, seed_classes, targets, lam, steps, step_size, bounds):
    """Eq. (2) for two `Network`s, one sample after the other."""
    results = []
    for x, k0, k in zip(np.float64(starts), seed_classes, targets):
        x = np.clip(x, *bounds)
        for _ in range(steps):
            error = oracles.softmax(g.logits(x))
            error[k] -= 1.0
            seed_class = np.zeros(len(error))
            seed_class[k0] = 1.0
            delta = g.gradient(x, error) + lam * f.gradient(x, seed_class)
            x = np.clip(x - step_size * delta / np.sqrt(np.sum(delta**2)), *bounds)
        results.append(x)
    return np.array(results)
