"""Downloads from a server on this machine: good, wrong, cut off, silent and gone."""

import hashlib
import http.server
import os
import threading

import pytest

from tasks.data import downloads
from tasks.data.downloads import PublishedFile
from tasks.experiment.errors import UserError

pytestmark = pytest.mark.no_backend

CONTENT = b"label\ttext\n" * 1000
# sha256 of nothing, and of "abc": FIPS 180 and its examples.
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `server.body`, and `server.said` bytes of it by its own account.

    Again and again if there is a `server.pause` in between, in seconds.
    """

    def do_GET(self):
        self.server.requests += 1
        if self.server.body is None:
            self.send_error(404)
            return
        if self.server.is_silent:
            self.server.release.wait()
            return
        self.send_response(200)
        if self.server.said is not None:
            self.send_header("Content-Length", str(self.server.said))
        self.end_headers()
        while self.server.pause is not None:  # Without an end.
            try:
                self.wfile.write(self.server.body)
            except OSError:
                return
            self.server.release.wait(self.server.pause)
        self.wfile.write(self.server.body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.body, server.said, server.requests = CONTENT, len(CONTENT), 0
        server.is_silent, server.release = False, threading.Event()
        server.pause = None
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.release.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "datasets"


def published(server, checksum=None, **changes):
    url = f"http://127.0.0.1:{server.server_port}/tweets.txt"
    checksum = checksum or hashlib.sha256(CONTENT).hexdigest()
    return PublishedFile("tweets.txt", url, checksum, **changes)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_download_is_kept_and_not_repeated(server, cache):
    for _ in range(2):
        content = downloads.get(published(server))
        assert content.data == CONTENT
        assert content.path == cache / "tweets.txt"
    assert server.requests == 1
    assert names(cache) == ["tweets.txt"]
    assert content.path.read_bytes() == CONTENT


def test_a_download_may_be_known_by_its_git_blob(server, cache):
    server.body, server.said = b"hello\n", 6
    # As `echo hello | git hash-object --stdin` prints it.
    blob = "ce013625030ba8dba906f756967f9e9ca394464a"
    assert downloads.get(published(server, blob)).data == b"hello\n"


@pytest.mark.parametrize("checksum", [ABC, "771febee0aec21c1f736401e30621f1594646d2b"])
def test_a_wrong_download_is_refused_and_not_kept(server, cache, checksum):
    with pytest.raises(UserError) as raised:
        downloads.get(published(server, checksum))
    message = str(raised.value)
    assert "/tweets.txt is not the file that was published" in message
    assert checksum in message
    assert f"({len(CONTENT)} bytes)" in message
    assert "--data_dir" in message
    assert names(cache) == []


def test_a_download_that_breaks_off_is_refused_and_not_kept(server, cache):
    server.body = CONTENT[:100]
    with pytest.raises(UserError, match=r"tweets\.txt cannot be downloaded: .*100 out"):
        downloads.get(published(server))
    assert names(cache) == []


@pytest.mark.parametrize("damaged", [b"", CONTENT[:100], CONTENT + b"\n"])
def test_a_damaged_file_of_the_cache_is_downloaded_again(server, cache, damaged):
    cache.mkdir()
    (cache / "tweets.txt").write_bytes(damaged)
    assert downloads.get(published(server)).data == CONTENT
    assert (cache / "tweets.txt").read_bytes() == CONTENT


def test_a_damaged_file_of_the_cache_is_not_used_offline(server, cache):
    cache.mkdir()
    (cache / "tweets.txt").write_bytes(CONTENT[:100])
    server.body = None
    with pytest.raises(UserError, match=r"tweets\.txt cannot be downloaded: .*404"):
        downloads.get(published(server))


def test_a_cache_that_cannot_hold_the_file_says_so(server, cache):
    cache.write_text("no folder")
    with pytest.raises(UserError, match=r"tweets\.txt cannot be downloaded"):
        downloads.get(published(server))


def test_no_server_is_an_error_that_tells_what_to_do(server, cache):
    gone = published(server, instead="give --embeddings for other vectors")
    server.server_close()
    with pytest.raises(UserError) as raised:
        downloads.get(gone)
    message = str(raised.value)
    assert message.startswith("tweets.txt cannot be downloaded: ")
    assert "Put it into a folder and give --data_dir" in message
    assert f"published at {gone.url}, or give --embeddings" in message


def test_a_silent_server_is_given_up(server, cache, monkeypatch):
    server.is_silent = True
    monkeypatch.setattr(downloads, "TIMEOUT", 0.2)
    with pytest.raises(UserError, match=r"tweets\.txt cannot be downloaded: .*timed"):
        downloads.get(published(server))


def test_a_server_that_never_ends_is_given_up(server, cache, monkeypatch):
    server.said, server.pause = None, 0
    monkeypatch.setattr(downloads, "LARGEST", 10**6)
    with pytest.raises(UserError, match="cannot be downloaded: it is longer than 1000"):
        downloads.get(published(server))
    assert names(cache) == []


@pytest.mark.parametrize("said", [None, 10**6])
def test_a_server_that_drips_is_given_up(said, server, cache, monkeypatch):
    server.body, server.said, server.pause = b"x", said, 0.01
    monkeypatch.setattr(downloads, "TIMEOUT", 0.1)
    with pytest.raises(UserError, match=r"cannot be downloaded: only .* bytes came in"):
        downloads.get(published(server))
    assert names(cache) == []


def test_what_killed_downloads_left_is_removed(server, cache):
    cache.mkdir()
    # No process has the number 999999999; one of this test has that of its parent.
    living = f"tweets.{os.getppid()}.part.txt"
    for name in ("tweets.999999999.part.txt", "tweets.txt.999999999.part"):
        for other in (living, "tweets.part.txt", "news.999999999.part.txt"):
            (cache / other).write_bytes(b"")
        (cache / name).write_bytes(b"half")
        downloads.get(published(server))
        assert (cache / name).exists()  # It may be of another machine.
        os.utime(cache / name, (0, 0))
        downloads.get(published(server))
        assert names(cache) == sorted(
            [living, "tweets.part.txt", "news.999999999.part.txt", "tweets.txt"]
        )


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_neither_read_nor_waited_for(make, server, cache, tmp_path):
    cache.mkdir()
    make(cache / "tweets.txt")
    with pytest.raises(UserError, match=r"is where tweets\.txt is kept. Remove it"):
        downloads.get(published(server))
    with pytest.raises(UserError, match="cannot be read: Is "):
        downloads.get(published(server), str(cache))
    assert server.requests == 0


def test_a_device_is_not_read(server, cache):
    cache.mkdir()
    (cache / "tweets.txt").symlink_to("/dev/zero")
    with pytest.raises(UserError, match="Is no file, but a pipe or a device"):
        downloads.get(published(server))


def test_a_file_of_a_folder_must_be_as_published(tmp_path):
    path = tmp_path / "abc.txt"
    file = PublishedFile("abc.txt", "http://nowhere/abc.txt", ABC)
    path.write_bytes(b"abc")
    assert downloads.get(file, str(tmp_path)) == downloads.Content(path, b"abc")
    path.write_bytes(b"")
    with pytest.raises(UserError) as raised:
        downloads.get(file, str(tmp_path))
    assert f"expected sha256 {ABC}, received {EMPTY} (0 bytes)" in str(raised.value)
    assert "--noverify" in str(raised.value)
    assert downloads.get(file, str(tmp_path), verify=False).data == b""


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    file = PublishedFile("abc.txt", "http://nowhere/abc.txt", ABC)
    with pytest.raises(UserError, match=r"abc\.txt cannot be read: No such file"):
        downloads.get(file, str(tmp_path))
    (tmp_path / "abc.txt").mkdir()
    with pytest.raises(UserError, match=r"abc\.txt cannot be read: Is a directory"):
        downloads.get(file, str(tmp_path))


@pytest.mark.parametrize(
    "data, lines",
    [
        (b"", [""]),
        (b"a\nb\n", ["a", "b", ""]),
        (b"a\r\nb", ["a", "b"]),
        (b"\xef\xbb\xbfa", ["a"]),
        ("\x85\u2028\x0c".encode(), ["\x85\u2028\x0c"]),
    ],
)
def test_lines_end_with_line_feeds_alone(tmp_path, data, lines):
    assert downloads.Content(tmp_path, data).lines() == lines


def test_other_text_than_utf_8_is_refused(tmp_path):
    content = downloads.Content(tmp_path / "abc.txt", b"caf\xe9")
    with pytest.raises(UserError, match=r"abc\.txt must be UTF-8 text.* at byte 3"):
        content.lines()
