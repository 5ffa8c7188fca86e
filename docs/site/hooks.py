"""What MkDocs does for this site beyond rendering the files of `docs/`.

Pages are made of the README and other files of the root, of the index of the API, of
the records of results, of CITATION.cff and of the guides that were run; links between
files become links between pages; and tables scroll in a box of their own.
"""

import re
from pathlib import Path

import yaml
from mkdocs.structure.files import File

from docs.site import api
from docs.site import cite
from docs.site import gallery
from docs.site import links

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GUIDES = ROOT / "build" / "guides"  # Where `make guides` puts what it ran.
OF_ROOT = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "tasks/README.md": "tasks.md",
}
made = {}  # Text, or the path of a file, by address; filled anew by each build.


def on_config(config):
    """Make the pages, and put them into the navigation."""
    made.clear()
    made.update({uri: (ROOT / name).read_text() for name, uri in OF_ROOT.items()})
    # It is alone in its part of the navigation.
    made["index.md"] = f"---\nhide: [navigation]\n---\n\n{made['index.md']}"
    for topic in api.topics((DOCS / "api.md").read_text()):
        made[topic.uri] = api.page(topic)
    made.update(gallery.pages(ROOT))
    citation = (ROOT / "CITATION.cff").read_text()
    made["cite.md"] = cite.page(yaml.safe_load(citation), citation)
    for file in sorted(GUIDES.rglob("*")):
        if file.is_file():
            made[f"guides/{file.relative_to(GUIDES).as_posix()}"] = file
    own = sorted(file.relative_to(DOCS).as_posix() for file in DOCS.rglob("*.md"))
    config.nav = _expanded(config.nav, [*own, *made])
    return config


def _expanded(nav, known):
    """The navigation with all pages of a folder where it names one."""
    found = []
    for item in nav:
        if isinstance(item, dict):
            ((title, value),) = item.items()
            if isinstance(value, str) and not value.endswith("/"):
                found.append(item)
                continue
            value = [value] if isinstance(value, str) else value
            if below := _expanded(value, known):
                found.append({title: below})
        elif item.endswith("/"):
            below = [uri for uri in known if _is_page_of(uri, item)]
            found += _in_order(below, item)
        else:
            found.append(item)
    return found


def _in_order(uris, folder):
    """Pages of a folder as its README, the first of them, names them."""
    readme = f"{folder}README.md"
    if readme not in uris:
        return uris
    text = made.get(readme) or (DOCS / readme).read_text()

    def place(uri):
        name = uri.removeprefix(folder).removesuffix(".md")
        return uri != readme, text.find(name)

    return sorted(uris, key=place)


def _is_page_of(uri, folder):
    return uri.startswith(folder) and uri.endswith(".md")


def on_files(files, config):
    """Add the pages that are not files of `docs/`."""
    for uri, content in made.items():
        is_path = isinstance(content, Path)
        what = {"abs_src_path": str(content)} if is_path else {"content": content}
        files.append(File.generated(config, uri, **what))
    return files


def on_page_markdown(markdown, page, config, files):
    """Link to pages, and from the index and the tables to what is made of them."""
    uri = page.file.src_uri
    if uri == "api.md":
        markdown = api.linked(markdown)
    if uri in (tables := gallery.of_tables(made)):
        markdown = f"# {page.file.name}\n\n{markdown}"
        markdown += f"\n[Each cell with its records]({tables[uri]})\n"
    of_root = {uri: ROOT / name for name, uri in OF_ROOT.items()}
    file = DOCS / ("api.md" if uri.startswith("api/") else uri)
    pages = {DOCS / file.src_uri: file.src_uri for file in files}
    pages |= {path: of for of, path in of_root.items()}
    pages |= {
        (DOCS / p).with_suffix(".py"): p for p in made if _is_page_of(p, "guides/")
    }
    return links.rewritten(markdown, of_root.get(uri, file), pages, uri)


def on_page_content(html, **_):
    """Put each table into a box that scrolls, by keys too."""
    numbers = iter(range(1, 1 + html.count("<table")))

    def boxed(match):
        # A cell of the head without text heads nothing.
        inside = re.sub(r"<th( [^>]*)?></th>", r"<td\1></td>", match[1])
        inside = inside.replace(" ± ", "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}")
        return (
            '<div class="wide" role="group" tabindex="0" '
            f'aria-label="Table {next(numbers)}"><table class="scores">{inside}</table>'
            "</div>"
        )

    return re.sub(r"<table[^>]*>(.*?)</table>", boxed, html, flags=re.DOTALL)


def on_post_page(output, **_):
    """Name what Material leaves without a name."""
    return output.replace('role="dialog">', 'role="dialog" aria-label="Search">')
