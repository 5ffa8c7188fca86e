"""The page that says how to cite, made of CITATION.cff."""

from collections.abc import Mapping


def page(citation: Mapping, source: str) -> str:
    """Markdown with BibTeX entries.

    Args:
        citation: What CITATION.cff holds.
        source: Its text.
    """
    (paper,) = citation["references"]
    software = _entry(
        "software",
        "keras_m2m",
        author=_names(citation["authors"]),
        title=citation["title"],
        version=citation["version"],
    )
    article = _entry(
        "inproceedings",
        "kim2020m2m",
        author=_names(paper["authors"]),
        title=paper["title"],
        booktitle=paper["conference"]["name"],
        year=paper["year"],
    )
    return (
        f"# How to cite\n\n{citation['message']}\n\n"
        f"The paper:\n\n```bibtex\n{article}\n```\n\n"
        f"This software:\n\n```bibtex\n{software}\n```\n\n"
        f"`CITATION.cff`, which reference managers read:\n\n```yaml\n{source}```\n"
    )


def _names(authors):
    return " and ".join(
        f"{who['family-names']}, {who['given-names']}"
        if "family-names" in who
        else f"{{{who['name']}}}"
        for who in authors
    )


def _entry(kind, key, **fields):
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])
