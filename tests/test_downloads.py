"""Downloads from a server on this machine: good, wrong, cut off, silent and gone."""

import hashlib
import http.server
import threading

import pytest

from tasks import downloads
from tasks.downloads import Published
from tasks.task import UserError

pytestmark = pytest.mark.no_backend

CONTENT = b"label\ttext\n" * 1000
# sha256 of nothing, and of "abc": FIPS 180 and its examples.
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `server.body`, and `server.said` bytes of it by its own account."""

    def do_GET(self):
        self.server.requests += 1
        if self.server.body is None:
            self.send_error(404)
            return
        if self.server.is_silent:
            self.server.release.wait()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(self.server.said))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.body, server.said, server.requests = CONTENT, len(CONTENT), 0
        server.is_silent, server.release = False, threading.Event()
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
    return Published("tweets.txt", url, checksum, **changes)


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
    (cache / "tweets.txt").mkdir(parents=True)
    with pytest.raises(UserError, match=r"tweets\.txt cannot be downloaded"):
        downloads.get(published(server))
    assert names(cache) == ["tweets.txt"]


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


def test_a_file_of_a_folder_must_be_as_published(tmp_path):
    path = tmp_path / "abc.txt"
    file = Published("abc.txt", "http://nowhere/abc.txt", ABC)
    path.write_bytes(b"abc")
    assert downloads.get(file, str(tmp_path)) == downloads.Content(path, b"abc")
    path.write_bytes(b"")
    with pytest.raises(UserError) as raised:
        downloads.get(file, str(tmp_path))
    assert f"expected sha256 {ABC}, received {EMPTY} (0 bytes)" in str(raised.value)
    assert "--noverify" in str(raised.value)
    assert downloads.get(file, str(tmp_path), verify=False).data == b""


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    file = Published("abc.txt", "http://nowhere/abc.txt", ABC)
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
