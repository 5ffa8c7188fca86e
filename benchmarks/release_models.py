"""Trains the networks that are attached to a release, and lists their checksums.

    KERAS_BACKEND=jax python benchmarks/release_models.py --data_dir=$DATA

For the digits, Reuters and Twitter: ERM, DRS and M2m, seed 0, as `tasks` trains them.
`build/release` gets `NAME.keras` and its model card `NAME.md`, and the package the
list that `keras_m2m.load_example` knows them by. The weights are the same each time; a
`.keras` file also holds when it was written. So the list is of these very files:
commit it, and attach them to the release.
"""

import argparse
import hashlib
import json
import pathlib
import shlex
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[1]
LIST = ROOT / "keras_m2m" / "examples.json"
METHODS = ("drs", "erm", "m2m")  # The last one is that of --method.
VECTORS = "twitter-vectors-50d.txt"
TASKS = {
    "digits": "tasks.digits_lt",
    "reuters": "tasks.reuters --data_dir=$DATA/reuters_r52",
    "twitter": (
        f"tasks.twitter --data_dir=$DATA/twitter_pos "
        f"--embeddings=$DATA/twitter_pos/{VECTORS}"
    ),
}


def command(task: str) -> str:
    """The command that trains all methods of a task."""
    *others, last = METHODS
    return f"python -m {TASKS[task]} --method={last} --compare={','.join(others)}"


def train(task: str, data_dir: pathlib.Path, folder: pathlib.Path) -> None:
    """Train all methods of a task; what is there already is not trained again."""
    line = command(task).replace("$DATA", str(data_dir.resolve()))
    _, *arguments = shlex.split(line)
    arguments += [f"--out_dir={folder}"]
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True)


def collect(run: pathlib.Path, name: str, out_dir: pathlib.Path) -> str:
    """Copy a network and its card; return its checksum."""
    network = out_dir / f"{name}.keras"
    if not network.exists():
        shutil.copy(run / "f.keras", network)
        shutil.copy(run / "README.md", network.with_suffix(".md"))
    return hashlib.sha256(network.read_bytes()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data_dir", type=pathlib.Path, required=True)
    parser.add_argument("--out_dir", type=pathlib.Path, default=ROOT / "build/release")
    options = parser.parse_args()
    options.out_dir.mkdir(parents=True, exist_ok=True)
    released = {}
    for task in TASKS:
        folder = options.out_dir.resolve() / "runs" / task
        train(task, options.data_dir, folder)
        for method in METHODS:
            run = folder if method == METHODS[-1] else folder / method
            name = f"{task}_{method}"
            sha256 = collect(run, name, options.out_dir)
            released[name] = {"sha256": sha256, "command": command(task)}
    LIST.write_text(json.dumps(released, indent=1) + "\n")
    print(f"{len(released)} networks in {options.out_dir}; {LIST} is to be committed")


if __name__ == "__main__":
    main()
