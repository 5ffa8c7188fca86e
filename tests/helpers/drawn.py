"""What a figure of Matplotlib shows, once it is drawn."""

import matplotlib.backends.backend_agg


def draw(figure):
    """Draws the figure, so that layout warnings would fail the test."""
    canvas = matplotlib.backends.backend_agg.FigureCanvasAgg(figure)
    canvas.draw()
    return canvas.get_renderer()


def labels(ticks):
    return [tick.get_text() for tick in ticks]


def overlapping(texts, renderer):
    boxes = [text.get_window_extent(renderer) for text in texts if text.get_text()]
    return [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]
