"""Published files: from a folder or from the web, and only as they were published."""

import hashlib
import os
import re
import time
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from tasks.data import whole_files
from tasks.experiment.errors import UserError
from tasks.experiment.paths import check_is_file
from tasks.experiment.paths import keras_home

TIMEOUT = 60  # Seconds without an answer; without it a silent server is waited on.
SLOWEST = 2**13  # Bytes a second on average, once so many seconds are over.
LARGEST = 2**28  # Bytes of a file, several times what any has.


@dataclass(frozen=True)
class PublishedFile:
    """A file as its authors published it.

    Attributes:
        name: File name, in a folder and in Keras' cache.
        url: Where it is downloaded from.
        checksum: sha256, 64 hexadecimal digits; or the id of its git blob, 40 of
            them, where the authors' repository is all that is known of it.
        instead: What else the user can do than get this file, for messages.
    """

    name: str
    url: str
    checksum: str
    instead: str = ""


@dataclass(frozen=True)
class Content:
    """A file that was read, whole."""

    path: Path
    data: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def git_blob(self) -> str:
        """The id that git gives this content."""
        header = f"blob {len(self.data)}\0".encode()
        return hashlib.sha1(header + self.data).hexdigest()

    def lines(self) -> list[str]:
        """Its text, UTF-8, by line.

        Lines end with LF or CRLF alone, since tokens may be what else
        `str.splitlines` splits at. A byte order mark is left out.

        Raises:
            UserError: If it is not UTF-8.
        """
        try:
            text = self.data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UserError(
                f"{self.path} must be UTF-8 text, and is not at byte {error.start}"
            ) from error
        return re.split("\r?\n", text)


def get(
    published: PublishedFile, data_dir: str | None = None, verify: bool = True
) -> Content:
    """Read a published file from a folder; without one, from Keras' cache or the web.

    A download is checked before it gets its name, and checked again whenever it is
    read: one that was cut off or damaged is downloaded again, and never used.

    Args:
        published: Which file.
        data_dir: The folder that holds it, or None.
        verify: Whether a file of that folder must be as published. A download must.

    Returns:
        `Content`.

    Raises:
        UserError: If it cannot be read or downloaded, or is not as published.
    """
    if data_dir is None:
        return _cached(published) or _download(published)
    content = _file(Path(data_dir) / published.name, _where(published))
    if verify:
        again = f"{_where(published)} Or give --noverify for files of your own"
        _check(content, published, again)
    return content


def read(path: Path, advice: str = "") -> Content:
    """Read a file.

    Args:
        path: Which.
        advice: What to do if it cannot be read, for the message.

    Returns:
        `Content`.

    Raises:
        UserError: If it cannot be read.
    """
    try:
        return Content(path, path.read_bytes())
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}. {advice}"
        raise UserError(message.rstrip(". ")) from error


def _file(path, advice):
    """What `read` returns, but of nothing that a reader may have to wait for."""
    try:
        check_is_file(path)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}. {advice}") from error
    return read(path, advice)


def _where(published):
    instead = f", or {published.instead}" if published.instead else ""
    return f"It is published at {published.url}{instead}."


def _mismatch(content, published):
    """Expected and received checksum where they differ, else None."""
    kind = "sha256" if len(published.checksum) == 64 else "git_blob"
    found = getattr(content, kind)
    if found == published.checksum:
        return None
    kind = kind.replace("_", " ")
    return (
        f"expected {kind} {published.checksum}, received {found} "
        f"({len(content.data)} bytes)"
    )


def _check(content, published, advice):
    mismatch = _mismatch(content, published)
    if mismatch:
        raise UserError(
            f"{content.path} is not the file that was published: {mismatch}. {advice}"
        )


def _path(published):
    return keras_home() / "datasets" / published.name


def _cached(published):
    """The file from Keras' cache, or None where it is not there as published."""
    path = _path(published)
    whole_files.remove_leftovers(path)
    if not os.path.lexists(path):
        return None
    content = _file(path, f"It is where {published.name} is kept. Remove it")
    mismatch = _mismatch(content, published)
    if mismatch is None:
        return content
    print(f"{path} is downloaded again: {mismatch}", flush=True)
    return None


def _download(published):
    path = _path(published)
    advice = f"Put it into a folder and give --data_dir. {_where(published)}"
    print(f"downloading {published.url}", flush=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_files.aside(path) as part:
            _fetch(published.url, part)
            content = Content(path, part.read_bytes())
            mismatch = _mismatch(content, published)
            if mismatch:
                raise UserError(
                    f"{published.url} is not the file that was published: {mismatch}. "
                    "A proxy or a sign-in page may have answered; try again. " + advice
                )
    except (OSError, ValueError, HTTPException) as error:  # All that urllib raises.
        message = f"{published.name} cannot be downloaded: {error}\n{advice}"
        raise UserError(message) from error
    return content


def _fetch(url, part):
    """Write what a server sends, unless it sends too much, or too slowly, or stops."""
    began, received = time.monotonic(), 0
    with (
        urllib.request.urlopen(url, timeout=TIMEOUT) as answer,
        open(part, "wb") as file,
    ):
        said = answer.length
        # As much as there is: a full piece may take for ever.
        while piece := answer.read1(2**16):
            file.write(piece)
            received += len(piece)
            seconds = time.monotonic() - began
            if received > LARGEST:
                raise OSError(f"it is longer than {LARGEST} bytes, so another file")
            if seconds > TIMEOUT and received < SLOWEST * seconds:
                raise OSError(
                    f"only {received} bytes came in {seconds:.0f} seconds, and "
                    f"{SLOWEST} a second are the least to wait for"
                )
    if said is not None and received < said:
        raise OSError(f"it broke off: {received} out of {said} bytes came")
