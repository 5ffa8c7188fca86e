"""Draws what the benchmarks wrote: `python benchmarks/plot.py`.

Reads benchmarks/results/*.json, writes docs/images/m2m_step.png and scaling.png.
"""

import json
import pathlib

import matplotlib.figure
import setting  # noqa: F401  finds keras_m2m

from keras_m2m.plots.style import COLORS

FOLDER = pathlib.Path(__file__).parent
IMAGES = FOLDER.parent / "docs" / "images"
CASES = {
    "CIFAR-LT-10, ρ = 100": "m2m_step_cifar10_rho100.json",
    "CIFAR-LT-100, ρ = 100": "m2m_step_cifar100_rho100.json",
}
AXES = {
    "batch_size": "samples in a batch",
    "steps": "gradient steps T",
    "num_classes": "classes K",
    "image_size": "height and width, pixels",
}


def read(name):
    return json.loads((FOLDER / "results" / name).read_text())


def steps():
    """Bars of the ordinary step and of the translation, per implementation."""
    figure = matplotlib.figure.Figure(figsize=(9, 3.4), layout="constrained")
    for axes, (title, name) in zip(figure.subplots(1, 2), CASES.items(), strict=True):
        result = read(name)
        rows = result["implementations"]
        names = [*rows, "bound"]
        before = None
        for step, color in {"ordinary": COLORS[4], "translation": COLORS[0]}.items():
            values = [row[step]["median"] for row in rows.values()]
            values.append(result["bound"][step])
            axes.barh(names, values, left=before, color=color, label=step)
            before = values
        axes.invert_yaxis()
        axes.set_xlabel("seconds a step")
        axes.set_title(title)
    figure.axes[1].set_yticklabels([])
    figure.axes[1].legend()
    return figure


def scaling():
    """Time and peak memory against each size, on logarithmic axes."""
    points = read("scaling.json")["points"]
    figure = matplotlib.figure.Figure(figsize=(11, 4.6), layout="constrained")
    for column, (name, series) in enumerate(points.items(), 1):
        for row, (key, unit, label) in enumerate(
            [("seconds", 1, "seconds a step"), ("peak_bytes", 1e9, "peak memory, GB")]
        ):
            axes = figure.add_subplot(2, len(points), row * len(points) + column)
            sizes = [point[name] for point in series]
            values = [point[key] / unit for point in series]
            axes.plot(sizes, values, "o-", color=COLORS[0])
            # What grows in proportion; pixels go with the square of the width.
            power = 2 if name == "image_size" else 1
            guide = [values[-1] * (size / sizes[-1]) ** power for size in sizes]
            axes.plot(sizes, guide, ":", color="grey", label="in proportion")
            axes.set(xscale="log", yscale="log", xlabel=AXES[name], ylabel=label)
            axes.set_xticks(sizes, [str(size) for size in sizes])
            axes.minorticks_off()
    figure.axes[0].legend()
    return figure


def main():
    IMAGES.mkdir(exist_ok=True)
    for draw in (steps, scaling):
        name = {"steps": "m2m_step", "scaling": "scaling"}[draw.__name__]
        draw().savefig(IMAGES / f"{name}.png", dpi=120)


if __name__ == "__main__":
    main()
