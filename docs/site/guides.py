"""Runs guides, and writes each as Markdown with what it printed and drew.

    python -m docs.site.guides docs/guides/tour.py ... build/guides

A guide is a Python file in jupytext's percent format. A cell that draws says what by
`# %% alt="..."`; one that fails is an error.
"""

import base64
import os
import pathlib
import sys
import tempfile
from typing import Any

ROOT = pathlib.Path(__file__).parents[2]
SECONDS = 300  # Of a cell, at most.


def run(path: pathlib.Path) -> Any:
    """The notebook of a guide, run in a kernel and a folder of its own."""
    import jupytext
    import nbclient

    notebook = jupytext.read(path)
    with tempfile.TemporaryDirectory() as folder:
        place = {"metadata": {"path": folder}}
        nbclient.NotebookClient(
            notebook, timeout=SECONDS, kernel_name="python3", resources=place
        ).execute()
    return notebook


def page(notebook: Any, name: str) -> tuple[str, dict[str, bytes]]:
    """Markdown of a notebook that was run, and the pictures that it shows.

    Args:
        notebook: What `run` returns.
        name: Of the guide: what its pictures are called by.

    Raises:
        ValueError: If a picture has no words for those who do not see it.
    """
    parts, pictures = [], {}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        code = "\n".join(
            line for line in cell.source.splitlines() if not line.startswith("%")
        )
        parts.append(f"```python\n{code.strip()}\n```")
        printed = "".join(one.text for one in cell.outputs if _is_printed(one))
        if printed:
            parts.append(f"```text\n{printed.rstrip()}\n```")
        for png in _drawn(cell):
            file = f"{name}_{len(pictures) + 1}.png"
            pictures[file] = png
            parts.append(f"![{_alt(cell, name)}]({file})")
    return "\n\n".join(parts) + "\n", pictures


def _is_printed(output):
    if output.output_type == "stream" and output.name == "stderr":
        print(output.text, file=sys.stderr)  # For who builds the page.
    return output.output_type == "stream" and output.name == "stdout"


def _drawn(cell):
    data = [getattr(output, "data", {}) for output in cell.outputs]
    return [base64.b64decode(d["image/png"]) for d in data if "image/png" in d]


def _alt(cell, name):
    if not cell.metadata.get("alt"):
        raise ValueError(
            f'A picture of {name} has no words: begin its cell by `# %% alt="..."`. '
            f"Received: the cell {cell.source[:60]!r}"
        )
    return cell.metadata["alt"]


def main(paths: list[str], folder: str) -> None:
    """Run guides, and write their pages into a folder."""
    os.environ["PYTHONPATH"] = str(ROOT)  # Of the kernels.
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # Several run at a time.
    os.environ["KERAS_HOME"] = (
        tempfile.mkdtemp()
    )  # What a guide keeps there is its own.
    out = pathlib.Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    for path in map(pathlib.Path, paths):
        print(path, flush=True)
        text, pictures = page(run(path), path.stem)
        for old in out.glob(f"{path.stem}_[0-9]*.png"):
            old.unlink()
        for file, content in pictures.items():
            (out / file).write_bytes(content)
        (out / f"{path.stem}.md").write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:-1], sys.argv[-1])
