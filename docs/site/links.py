"""Links between the files of the repository, as links between pages of the site."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")


def rewritten(text: str, file: Path, pages: Mapping[Path, str], uri: str) -> str:
    """Markdown whose links lead to pages.

    Args:
        text: Markdown of a file.
        file: That file, by which its links are written.
        pages: From files to their addresses on the site, such as `"tables/README.md"`.
        uri: The address of this page.

    Returns:
        The same. A link to a file that has no page, such as source code, becomes its
        text; one that leads nowhere stays, and is a mistake that the build shows.
    """

    def link(match):
        label, target = match.groups()
        path, hash_, heading = target.partition("#")
        if not path or "://" in target:
            return match[0]
        there = (file.parent / path).resolve()
        if there in pages:
            to = os.path.relpath(pages[there], os.path.dirname(uri) or ".")
            return f"[{label}]({to}{hash_}{heading})"
        return label if there.exists() else match[0]

    return _LINK.sub(link, text)
