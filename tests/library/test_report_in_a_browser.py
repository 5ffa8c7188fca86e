"""The page in Chromium, at the width of a phone and of a desk, light and dark."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from helpers import decisions_oracle
from keras_m2m.report import Held
from keras_m2m.report import report

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.no_backend,
    pytest.mark.skipif(BROWSER is None, reason="needs Chromium"),
]
WIDTHS = (360, 1280)
LIGHT, DARK = 1, 0  # Of Chromium's `preferredColorScheme`.
# Measures frames of these widths when all is drawn, and writes it where it is printed.
MEASURE = """
<!DOCTYPE html>
{frames}
<pre id="found"></pre>
<script>
const rgb = (part, name) => getComputedStyle(part)[name];
onload = () => {{
  const frames = [...document.querySelectorAll("iframe")];
  found.textContent = JSON.stringify(frames.map(frame => {{
    const page = frame.contentDocument, root = page.documentElement, body = page.body;
    const ground = rgb(body, "backgroundColor");
    const boxes = [...page.querySelectorAll("img")].map(i => i.getBoundingClientRect());
    return {{
      overflow: root.scrollWidth - root.clientWidth,
      colors: [...page.querySelectorAll("p, th, td, h2, caption, dt, dd")].map(
        part => [rgb(part, "color"), ground]),
      ground,
      images: boxes.map(b => [b.width, b.height, b.right - root.clientWidth]),
    }};
  }}));
}};
</script>
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    long = "a class with a name that is longer than a phone is wide"
    names = [long, "Donaudampfschifffahrtsgesellschaft" * 2, "few", "fewer"]
    y, p = decisions_oracle.made(400, [0.5, 0.3, 0.1, 0.1])
    methods = [Held(name, y, p, y, p) for name in (long, "m2m")]
    found = report(
        methods,
        names,
        [5000, 3000, 100, 90],
        costs=100 * (1 - np.eye(4)),
        samples=lambda row: {"text": "x" * 200, "a long name of a value": row},
        title=f"A report of {long}",
    )
    found.save(folder / "report.html")
    frames = "".join(
        f'<iframe src="report.html" style="width:{width}px;height:900px;border:0">'
        "</iframe>"
        for width in WIDTHS
    )
    (folder / "measure.html").write_text(MEASURE.format(frames=frames))
    return folder


@pytest.fixture(scope="module", params=[LIGHT, DARK], ids=["light", "dark"])
def measured(folder, request):
    """What Chromium made of the page at each width."""
    command = [
        BROWSER,
        "--headless",
        "--no-sandbox",  # Tests may run as root.
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--user-data-dir={folder / str(request.param)}",
        "--allow-file-access-from-files",
        f"--blink-settings=preferredColorScheme={request.param}",
        "--dump-dom",
        (folder / "measure.html").as_uri(),
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    (found,) = re.findall(r'<pre id="found">(.*)</pre>', result.stdout)
    return request.param, json.loads(found)


def luminance(color):
    """Relative luminance of `rgb(r, g, b)`, by WCAG 2."""
    shares = np.array([int(part) for part in re.findall(r"\d+", color)[:3]]) / 255
    linear = np.where(
        shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4
    )
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_the_page_does_not_scroll_sideways(measured):
    assert [one["overflow"] for one in measured[1]] == [0] * len(WIDTHS)


def test_images_are_drawn_and_within_the_page(measured):
    for one in measured[1]:
        assert len(one["images"]) >= 2
        for width, height, beyond in one["images"]:
            assert width > 200
            assert height > 100
            assert beyond <= 0


def test_text_can_be_read_on_its_ground(measured):
    scheme, found = measured
    assert (luminance(found[0]["ground"]) < 0.1) == (scheme == DARK)
    lowest = min(contrast(*pair) for pair in found[0]["colors"])
    assert lowest >= 4.5  # WCAG 2, AA.
