"""A model card beside a network: what it is, what it can, and where it cannot.

Written of `result.json` alone, in Markdown, with the fields of Hugging Face's cards in
front, each a line of JSON, which is YAML too.
"""

import json
import shlex
from pathlib import Path

import numpy as np
from tabulate import tabulate

from keras_m2m.recipes import LOSSES
from keras_m2m.recipes import METHODS
from tasks.data import whole_files
from tasks.data.own.class_names import listed
from tasks.experiment.escaping import escape
from tasks.experiment.recipes import method_of

_MOST = 20  # Classes in a table; of more, those of least recall.
_PAIRS = 5  # Confusions that are named.
_FEW_ACCEPTED = 0.05  # Of the translations.
_SCORES = {
    "balanced_accuracy": "balanced accuracy, the mean recall of classes",
    "geometric_mean": "geometric mean of recalls",
    "accuracy": "accuracy",
}


def write(folder: Path, result: dict) -> None:
    """Write `README.md` beside a network.

    Args:
        folder: Of the network and its `result.json`.
        result: What that holds.
    """
    whole_files.write(folder / "README.md", card(result))


def card(result: dict) -> str:
    """A model card.

    Args:
        result: What `result.json` of a finished training holds.

    Returns:
        Markdown, with front matter in YAML.
    """
    method = _tested_method(result)
    parts = [
        _front_matter(result),
        f"# {escape(result['source'])}: {method.label}",
        f"A Keras network of {result['parameters']:,} parameters for "
        f"{len(result['class_names'])} classes, trained by `keras_m2m` for data with "
        "rare classes.",
        "## Classes\n\n" + _classes(result),
        "## Training\n\n" + _training(result),
        "## Scores\n\n" + _scores(result),
        "## Probabilities\n\n" + _probabilities(result, method),
        "## Use\n\n" + _use(result),
        "## Limits\n\n" + _limits(result),
        "## Versions\n\n" + _versions(result),
    ]
    return "\n\n".join(parts) + "\n"


def _tested_method(result):
    """The method of the epoch that is tested: a deferred one begins plainly."""
    flags = result["flags"]
    method = method_of(flags["method"])
    is_plain = method.deferred and result["tested_epoch"] < flags["defer_epoch"]
    return METHODS["erm"] if is_plain else method


def _front_matter(result):
    is_photographs = "reading" in result
    kind = "image-classification" if is_photographs else "classification"
    known = {key: value for key in _SCORES if (value := result[key]) is not None}
    metrics = [{"type": key, "value": value} for key, value in known.items()]
    found = {
        "task": {"type": kind},
        "dataset": {"type": result["task"], "name": result["source"], "split": "test"},
        "metrics": metrics,
    }
    tested = _tested_method(result)
    name = "erm" if tested is METHODS["erm"] else result["flags"]["method"]
    fields = {
        "library_name": "keras",
        "tags": ["keras", "imbalanced-classification", name],
        **({"pipeline_tag": kind} if is_photographs else {}),
        "metrics": [*known],
        "model-index": [{"name": result["source"], "results": [found]}],
    }
    lines = [f"{name}: {json.dumps(value)}" for name, value in fields.items()]
    return "\n".join(["---", *lines, "---"])


def _classes(result):
    """A table of classes: how many samples they had, and how well they are found."""
    confusion = np.array(result["confusion_matrix"])
    tested, said = confusion.sum(axis=1), confusion.sum(axis=0)
    recall = np.array(result["per_class_recall"], float)
    order = np.arange(len(tested))
    about = ""
    if len(order) > _MOST:
        order = np.argsort(recall)[:_MOST]  # Those that are not tested are last.
        about = f"The {_MOST} classes of least recall, of {len(tested)}.\n\n"
    rows = [
        [
            escape(result["class_names"][k]),
            result["class_counts"][k],
            tested[k],
            _percent(recall[k]),
            _percent(confusion[k, k] / said[k] if said[k] else np.nan),
        ]
        for k in order
    ]
    header = ["class", "trained on", "tested on", "recall", "precision"]
    align = ["left", *["right"] * (len(header) - 1)]
    own = {"tablefmt": "pipe", "colalign": align, "disable_numparse": True}
    return about + tabulate(rows, header, **own)


def _percent(value):
    return "" if np.isnan(value) else f"{100 * value:.1f} %"


def _training(result):
    flags = result["flags"]
    method = method_of(flags["method"])
    after = result.get("after")
    sentences = [
        f"Method {method.label}: {_about(method, flags)}.",
        f"Loss: {LOSSES[flags['loss']].about}.",
        f"Tested after epoch {result['tested_epoch'] + 1} of {flags['epochs']}.",
        *_cautions(result, method),
        f"Seed {result['seed']}, backend {result['backend']}.",
    ]
    if after:
        own = ", ".join(f"{key} {flags[key]}" for key in ("head", "adjust"))
        sentences.append(f"After the training: {own}.")
    if group := result.get("reading", {}).get("group"):
        sentences.append(f"Photographs of one {escape(group)} are in one split.")
    own = {k: v for k, v in flags.items() if k != "task" and v is not None}
    places = {k: value for k, value in result.get("places", {}).items() if value}
    given = shlex.join(f"--{k}={_shown(v)}" for k, v in {**places, **own}.items())
    if places:
        sentences.append("Of paths the flags have the last part: complete them.")
    return " ".join(sentences) + f"\n\n```\n{given}\n```"


def _cautions(result, method):
    """Where little or nothing of a method is in the network."""
    if _tested_method(result) is not method:
        yield (
            f"That epoch, the best on validation, is of plain training: {method.label} "
            "had not begun."
        )
    rate = result.get("acceptance_rate")
    if method.translate and rate is not None and rate < _FEW_ACCEPTED:
        yield (
            f"Translations were hardly accepted: {_percent(rate)} of them in the last "
            "epoch."
        )


def _about(method, flags):
    """What a method does; other methods and flags in it by what they mean."""
    meanings = {name: other.about for name, other in METHODS.items()}
    meanings["defer_epoch"] = f"epoch {flags['defer_epoch']}" if method.deferred else ""
    return " ".join(meanings.get(word, word) for word in method.about.split())


def _shown(value):
    return ",".join(map(str, value)) if isinstance(value, list) else value


def _scores(result):
    lines = [
        f"- {about}: {_percent(result[key])}"
        for key, about in _SCORES.items()
        if result[key] is not None
    ]
    text = "On the test set:\n\n" + "\n".join(lines)
    pairs = _confusions(result)
    if pairs:
        text += "\n\nMost often confused:\n\n" + "\n".join(pairs)
    return text


def _confusions(result):
    """The pairs of classes that are confused in the largest shares of tests."""
    confusion = np.array(result["confusion_matrix"])
    tested = confusion.sum(axis=1)
    errors = confusion * (1 - np.eye(len(confusion), dtype=int))
    shares = (errors / np.maximum(tested, 1)[:, None]).ravel()
    order = np.argsort(-shares, kind="stable")[:_PAIRS]
    names = [escape(name) for name in result["class_names"]]
    return [
        f"- {errors[true, said]} of {tested[true]} of {names[true]} are taken for "
        f"{names[said]}"
        for true, said in zip(*np.unravel_index(order, errors.shape), strict=True)
        if errors[true, said]
    ]


def _probabilities(result, method):
    balanced = method.balances or LOSSES[result["flags"]["loss"]].balanced
    if balanced or result.get("after"):
        return (
            "They are as if all classes were equally frequent: right for the choice of "
            "a class, and no frequencies of the data. For these, multiply each by the "
            "share of its class and divide by the sum."
        )
    return (
        "They are of classes as frequent as in the training set. Where they are not, "
        "multiply each by the new share of its class over the old one and divide by "
        "the sum."
    )


def _use(result):
    is_photographs = "reading" in result
    what = "Photographs, RGB in [0, 1]" if is_photographs else "Samples, as trained on"
    predicted = "f.predict(x, verbose=0)[0].argmax()"
    if LOSSES[result["flags"]["loss"]].head == "logit":
        predicted = "int(f.predict(x, verbose=0)[0, 0] > 0)"
    code = [
        "import json, pathlib, keras, keras_m2m, numpy  # keras_m2m for its layers.",
        'f = keras.saving.load_model("f.keras", compile=False)',
        'names = json.loads(pathlib.Path("result.json").read_text())["class_names"]',
        f'x = numpy.zeros((1, *f.input_shape[1:]), "float32")  # {what}.',
        f"print(names[{predicted}])",
    ]
    text = "```python\n" + "\n".join(code) + "\n```"
    if result["task"] == "folder":
        text += (
            "\n\nIn a checkout of keras_m2m, files are read and prepared as for the "
            "training, and rows that a person should look at are pointed out:\n\n"
            "```bash\npython -m tasks.predict --model=THIS_FOLDER --data=NEW\n```"
        )
    return text


def _limits(result):
    names = result["class_names"]
    tested = np.sum(result["confusion_matrix"], axis=1)
    least = tested[tested > 0].min()
    few = listed([names[k] for k in np.flatnonzero(tested == least)])
    lines = [
        f"Fewest test samples of a class: {least}, of {escape(few)}. One of them more "
        f"or less moves its recall by {100 / least:.1f} points.",
        "It was tested on samples of the same source as those it was trained on. Of "
        "others (another camera, place, time or population) nothing is known: label "
        "some and test them first.",
        "A sample of a class that is not listed is given one of those that are.",
    ]
    untested = listed([names[k] for k in np.flatnonzero(tested == 0)])
    if untested:
        lines.insert(1, f"Never tested: {escape(untested)}.")
    lines += [f"Of the data: {escape(note)}." for note in result.get("notes", ())]
    return "\n".join(f"- {line}" for line in lines)


def _versions(result):
    own = [f"{name} {version}" for name, version in result["versions"].items()]
    if result.get("commit"):
        own.insert(0, f"keras_m2m at commit {result['commit']}")
    return ", ".join(own)
