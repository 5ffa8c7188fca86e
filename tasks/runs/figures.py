"""The paper's figures, from results, data and trained networks to files.

Each figure becomes two files, `stem.png` and `stem.svg`. A result is a dict as in
`result.json`; M2m's holds `translated` and `accepted` too, counts of its last epoch
indexed `[target, seed]`.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

import keras
import matplotlib
import matplotlib.figure
import numpy as np
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from keras_m2m import heads
from keras_m2m import plots
from keras_m2m.recipes import NOTHING
from keras_m2m.recipes import TRAINED
from keras_m2m.recipes import After
from keras_m2m.recipes.after import NO_TAU
from keras_m2m.recipes.after import read_after
from keras_m2m.recipes.mixes import UNMIXED
from keras_m2m.sampling import is_stream
from tasks.data import whole_files
from tasks.data.streams import Augmented
from tasks.experiment.errors import UserError
from tasks.experiment.recipes import mixed_name
from tasks.experiment.rows import Row
from tasks.experiment.task import Data
from tasks.training import devices
from tasks.training.evaluation import balanced

Paths = tuple[Path, Path]
BASELINE = ("erm", "ce")
PER_CLASS = 50  # Samples of the paper's Figure 4.
MOST_CLASSES = 10
PERPLEXITY = 30


def save(figure: matplotlib.figure.Figure, folder: Path, stem: str) -> Paths:
    """Write a figure as PNG and as SVG, the same bytes each time.

    In the SVG, text is text: it can be searched and edited, and is drawn in the
    reader's font.

    Args:
        figure: The figure.
        folder: Where the files go; made if it is not there.
        stem: Their name without its ending.

    Returns:
        The paths of the PNG and of the SVG.
    """
    folder.mkdir(parents=True, exist_ok=True)
    png, svg = folder / f"{stem}.png", folder / f"{stem}.svg"
    with whole_files.aside(png) as part:
        figure.savefig(part, dpi=150)
    # Else it holds the date, and identifiers that are drawn at random.
    fixed = matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": stem})
    with fixed, whole_files.aside(svg) as part:
        figure.savefig(part, metadata={"Date": None})
    return png, svg


def draw_class_sizes(datasets: Sequence[Data], folder: Path) -> dict[str, Paths]:
    """Figure 3: the training samples per class of datasets.

    Args:
        datasets: Data with different sources or counts.
        folder: Where the files go.

    Returns:
        The paths by stem, `class_sizes`.
    """
    sources = [data.source for data in datasets]
    counts = {}
    for data in datasets:
        more = f", {len(data.train[1])} samples" * (sources.count(data.source) > 1)
        counts[data.source + more] = data.class_counts
    return _save_all({"class_sizes": plots.class_sizes(counts)}, folder)


def draw_from_networks(
    data: Data, networks: Mapping[str, keras.Model], folder: Path, seed: int = 0
) -> dict[str, Paths]:
    """Figure 4: training samples as the networks of several methods see them.

    Args:
        data: Its training samples are embedded: `rows_per_class` of
            `evenly_by_count`.
        networks: By name of a method, its trained f.
        folder: Where the files go.
        seed: Of the choice of samples, of crops of a stream, and of the embedding.

    Returns:
        The paths by stem, `feature_embedding`.
    """
    stream, labels = data.train
    rows = rows_per_class(labels, evenly_by_count(data.class_counts), seed=seed)
    if is_stream(stream):
        stream = Augmented(stream, data.augment, seed)
    samples = stream[rows]
    points = embedding(
        {name: features(f, samples) for name, f in networks.items()}, seed
    )
    figure = plots.feature_embedding(
        points, labels[rows], data.class_names, data.class_counts
    )
    return _save_all({"feature_embedding": figure}, folder)


def evenly_by_count(class_counts, most: int = MOST_CLASSES) -> np.ndarray:
    """Classes to show: all, or some evenly from the most frequent to the least.

    Args:
        class_counts: Training samples per class.
        most: How many to show.

    Returns:
        int64 array of classes by falling count. Of more than `most`, those at ranks
        `0`, `(K - 1) / (most - 1)`, ... `K - 1`, rounded.
    """
    order = np.argsort(-np.asarray(class_counts), kind="stable")
    if len(order) <= most:
        return order
    return order[np.linspace(0, len(order) - 1, most).round().astype(int)]


def rows_per_class(
    labels: np.ndarray, classes, per_class: int = PER_CLASS, seed: int = 0
) -> np.ndarray:
    """Random rows of each class, in the order of the data.

    Args:
        labels: Integers `(n,)`.
        classes: The classes that are wanted.
        per_class: Rows of each, or all that there are if they are fewer.
        seed: Of the draw.

    Returns:
        int64 array, sorted. Those of a class do not depend on the other classes.
    """
    rows = [
        np.random.default_rng([seed, k]).permutation(np.flatnonzero(labels == k))
        for k in classes
    ]
    return np.sort(np.concatenate([own[:per_class] for own in rows]))


def features(f: keras.Model, samples) -> np.ndarray:
    """Penultimate features of a network: what its last layer is given.

    Args:
        f: A network whose last layer is its head, as those of `keras_m2m`.
        samples: Array or stream `(n, ...)`.

    Returns:
        float32 array `(n, dim)`, in inference mode.
    """
    return devices.predict(heads.feature_network(f), samples)


def embedding(
    features_by_method: Mapping[str, np.ndarray], seed: int
) -> dict[str, np.ndarray]:
    """Points of the plane by t-SNE, for each method from its features alone.

    Features go in as they are. They come from one layer of a network and have one
    scale, by which the last layer weighs them; to standardise them would blow up
    those that hardly vary. A common factor changes nothing, since t-SNE fits its
    widths to the neighbours.

    Args:
        features_by_method: By name of a method, floats `(n, dim)`, `n > 3`.
        seed: Of t-SNE, which starts at the principal components.

    Returns:
        By name of a method, float32 array `(n, 2)`. The perplexity is 30, or a third
        of the other samples if that is less.
    """
    points = {}
    for name, own in features_by_method.items():
        perplexity = min(PERPLEXITY, (len(own) - 1) / 3)
        tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=seed)
        # Several threads add in another order, and wait for each other on busy cores.
        with threadpool_limits(1):
            points[name] = tsne.fit_transform(own)
    return points


def draw_from_results(
    records: Sequence[dict],
    folder: Path,
    labels: Mapping[tuple[str, ...], str] | None = None,
) -> dict[str, Paths]:
    """Figure 5, acceptance by pair of classes, and recall gained over ERM.

    All of a method and a loss are taken together:

    - false positives: the mean over seeds, after each row of the confusion matrix is
      scaled to as many test samples as a class has on average. It changes nothing
      where the test set is balanced, as the paper's figure has it;
    - acceptance by pair: the sum over seeds, a picture for each method that has it;
    - recall gain: each run minus ERM's of the same seed, over the seeds that all
      methods have.

    Args:
        records: Results on one dataset.
        folder: Where the files go.
        labels: What a method, a loss and what comes after them are called, where it is
            not as in Table 1.

    Returns:
        The paths by stem: `cumulative_false_positives`,
        `acceptance_by_pair_METHOD_LOSS` where translations were counted, and
        `recall_gain` where there is ERM with cross entropy and something else.

    Raises:
        UserError: If there are no results, they are of different data, two are of the
            same method and seed, or the methods have no seed in common.
    """
    methods = _by_method(records)
    labels = {key: _label(*key) for key in methods} | dict(labels or {})
    names, counts = records[0]["class_names"], records[0]["class_counts"]
    matrices = {
        labels[key]: np.mean([balanced(r["confusion_matrix"]) for r in runs], axis=0)
        for key, runs in methods.items()
    }
    figures = {
        "cumulative_false_positives": plots.cumulative_false_positives(matrices, counts)
    }
    for key, runs in methods.items():
        pairs = [(r["accepted"], r["translated"]) for r in runs if r.get("translated")]
        if pairs:
            accepted, translated = np.sum(pairs, axis=0)
            figures["_".join(["acceptance_by_pair", *key])] = plots.acceptance_by_pair(
                accepted, translated, counts, names
            )
    if BASELINE in methods and len(methods) > 1:
        recalls = _recalls(methods)
        baseline = recalls.pop(BASELINE)
        gained = {labels[key]: own for key, own in recalls.items()}
        figures["recall_gain"] = plots.recall_gain(
            gained, baseline, counts, names, labels[BASELINE]
        )
    return _save_all(figures, folder)


def _label(method, loss, after=""):
    return Row(loss, method, after=read_after(after) or NOTHING).label


def _by_method(records) -> dict[tuple[str, ...], list[dict]]:
    """Results by method, loss and what comes after these, if it does; ERM first."""
    if not records:
        raise UserError("There are no results to draw")
    methods, seen = {}, set()
    for record in records:
        for key in ("source", "class_names", "class_counts"):
            if record[key] != records[0][key]:
                raise UserError(
                    f"Results of different data cannot be drawn together: their {key} "
                    f"are {records[0][key]} and {record[key]}. Give those of one"
                )
        flags = record["flags"]
        after = After(flags.get("head", TRAINED), flags.get("adjust", NO_TAU))
        method = mixed_name(flags["method"], flags.get("mix", UNMIXED))
        key = (method, flags["loss"], *([after.name] if after else []))
        if (key, record["seed"]) in seen:
            raise UserError(
                f"There are two results of {_label(*key)} with seed {record['seed']}. "
                "Give one of each, all of the same flags"
            )
        seen.add((key, record["seed"]))
        methods.setdefault(key, []).append(record)
    return dict(sorted(methods.items(), key=lambda item: item[0] != BASELINE))


def _recalls(methods) -> dict[tuple[str, ...], np.ndarray]:
    """Floats `(seeds, num_classes)` by method, of the seeds that all have."""
    by_seed = {
        key: {r["seed"]: np.array(r["per_class_recall"], float) for r in runs}
        for key, runs in methods.items()
    }
    seeds = sorted(set.intersection(*map(set, by_seed.values())))
    if not seeds:
        found = "; ".join(f"{_label(*k)}: {sorted(own)}" for k, own in by_seed.items())
        raise UserError(f"The methods have no seed in common: {found}")
    return {key: np.array([own[s] for s in seeds]) for key, own in by_seed.items()}


def _save_all(figures, folder) -> dict[str, Paths]:
    return {stem: save(figure, folder, stem) for stem, figure in figures.items()}
