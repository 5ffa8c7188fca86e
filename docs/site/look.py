"""Looks at each page of the site in Chromium, as a reader without a network does.

    python -m docs.site.look build/site build/pictures [PART OF A PAGE'S NAME]

At the width of a phone and of a desk, light and dark: axe-core finds no violation, the
page does not scroll sideways, all images are drawn, and nothing is fetched that is no
file of the site. A picture of each is left in the second folder.
"""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error
from playwright.sync_api import Page
from playwright.sync_api import sync_playwright

WIDTHS = 390, 1280
SCHEMES = "light", "dark"
HEIGHT = 900
# Of the gallery, whose pages fold hundreds of tables that are alike, a few.
_OPEN = "[...document.querySelectorAll('details')].slice(0, 4).map(x => x.open = true)"
_OVERFLOW = (
    "document.documentElement.scrollWidth - document.documentElement.clientWidth"
)
_NOT_DRAWN = "[...document.images].filter(i => !i.naturalWidth).map(i => i.src)"
# Selectors of all that is right take most of the time.
_AXE = {"resultTypes": ["violations"]}


def main(site: Path, pictures: Path, part: str = "") -> int:
    """Look at pages, and search.

    Args:
        site: What `mkdocs build` made.
        pictures: Folder for the pictures.
        part: Of the names of the pages to look at.

    Returns:
        The number of faults, which are printed.
    """
    site = site.resolve()
    files = [file for file in sorted(site.rglob("*.html")) if part in str(file)]
    # That page alone is for a server: its links are from the root.
    files = [file for file in files if file.name != "404.html"]
    faults = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
            args=["--no-sandbox", "--allow-file-access-from-files"],
        )
        for scheme in SCHEMES:
            page = browser.new_page(color_scheme=scheme, reduced_motion="reduce")
            _note_errors(page, faults)
            for file in files:
                page.goto(file.as_uri())
                page.evaluate(_OPEN)
                for width in WIDTHS:
                    page.set_viewport_size({"width": width, "height": HEIGHT})
                    name = f"{file.relative_to(site)}, {width} px, {scheme}"
                    for fault in faults_of(page):
                        faults.append(f"{name}: {fault}")
                        print(faults[-1], flush=True)
                    out = "-".join(re.findall(r"\w+", name))
                    page.screenshot(path=pictures / f"{out}.jpeg", full_page=True)
        page.goto((site / "index.html").as_uri())
        faults += _faults_of_search(page)
    print(f"{len(files)} pages, {len(faults)} faults")
    return len(faults)


def faults_of(page: Page) -> Iterator[str]:
    """What is wrong with a page as it is now."""
    if overflow := page.evaluate(_OVERFLOW):
        yield f"{overflow} px too wide"
    for image in page.evaluate(_NOT_DRAWN):
        yield f"{image} is not drawn"
    for violation in Axe().run(page, options=_AXE).response["violations"]:
        nodes = violation["nodes"]
        yield f"{violation['id']}, {len(nodes)} times: {nodes[0]['target']}"


def _note_errors(page, faults):
    """Note errors of scripts, and what is fetched from elsewhere."""

    def note(request):
        if not request.url.startswith(("file:", "data:", "blob:")):
            faults.append(f"{page.url}: fetches {request.url}")

    page.on("request", note)
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))


def _faults_of_search(page):
    page.fill("[data-md-component=search-query]", "LDAMLoss")
    try:
        page.locator(".md-search-result__item").first.wait_for(timeout=30_000)
    except Error as error:
        yield f"search: {error}"


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:3]), *sys.argv[3:]) > 0)
