"""Whatever a user's folder or archive holds: the right data, or one clear message."""

import io
import os
import pathlib
import shutil
import zipfile

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from helpers.own_data import loaded_or_refused

pytestmark = pytest.mark.no_backend


def encoded(kind, dtype="uint8", side=6):
    shape = (side, side, 3) if dtype == "uint8" else (side, side)
    pixels = np.random.default_rng(len(kind)).integers(0, 256, shape).astype(dtype)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


IMAGES = [encoded(kind) for kind in ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")]
IMAGES += [encoded(kind, "uint16") for kind in ("PNG", "TIFF")]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """An empty folder for one example after the other, and one for prepared images."""
    folder = tmp_path_factory.mktemp("fuzzed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(folder / "home"))
        yield folder


def loads_or_tells(path, *flags):
    """The data, checked for what must be true of any; None after a clear message."""
    data = loaded_or_refused(path, *flags)
    if data is None:
        return None
    assert len(data.class_names) == len(set(data.class_names)) >= 2
    for x, y in (data.train, data.validation, data.test):
        assert len(x) == len(y) > 0
        assert x.dtype == "float32"
        assert np.isfinite(x).all()
        assert data.bounds is None or (x.min() >= 0 and x.max() <= 1)
        assert set(y.tolist()) <= set(range(len(data.class_names)))
    assert data.class_counts.min() >= 1
    return data


# Folders.


def damaged(content):
    """Bytes of a file: whole, cut short, or with one of them changed."""
    whole = st.just(content)
    cut = st.integers(0, len(content)).map(lambda n: content[:n])
    place_and_value = st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255))
    changed = place_and_value.map(
        lambda pair: content[: pair[0]] + bytes([pair[1]]) + content[pair[0] + 1 :]
    )
    return st.one_of(whole, cut, changed)


FILES = st.one_of(
    st.sampled_from(IMAGES),
    st.sampled_from(IMAGES).flatmap(damaged),
    st.binary(max_size=40),
    st.text('0123 ,;\t\n"png.', max_size=40).map(str.encode),
)
NAMES = st.one_of(
    st.sampled_from(["a", "A", "b", "train", "Test", "val", "é", ".DS_Store", "a b"]),
    st.sampled_from(["images", "masks", "part_1", "part_2", "labels.csv", "a\u200b"]),
    st.text(min_size=1, max_size=4),
)
FILE_NAMES = st.one_of(
    st.integers(0, 9).map(lambda i: f"{i}.png"),
    st.sampled_from(["x.JPG", "y.gif", "Thumbs.db", "z.txt", "no"]),
    NAMES,
)
LINKS = st.sampled_from(["..", "/etc", "nowhere", "0.png", "a", "../b", "."])
LEAVES = st.dictionaries(FILE_NAMES, FILES | LINKS, max_size=5)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.dictionaries(NAMES, inner | LINKS | LEAVES, max_size=4),
    max_leaves=6,
)


def write_tree(folder, tree):
    """Make folders of dictionaries, files of bytes and links of strings."""
    folder.mkdir()
    for name, content in tree.items():
        try:
            path = folder / os.fsdecode(os.fsencode(name))
            if path.parent != folder or os.path.lexists(path):
                continue
            if isinstance(content, dict):
                write_tree(path, content)
            elif isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.symlink_to(content)
        except (OSError, ValueError):  # No name for a file, such as "" or "\0".
            continue


@hypothesis.given(tree=TREES)
@hypothesis.settings(max_examples=80)
def test_any_tree_of_files_loads_or_is_refused_by_a_message(tree, place):
    shutil.rmtree(place / "own", ignore_errors=True)
    write_tree(place / "own", tree)
    loads_or_tells(place / "own", "--image_size=4")


@hypothesis.given(
    counts=st.dictionaries(
        st.text("abcäß 漢$_-", min_size=1, max_size=3), st.integers(0, 5), max_size=4
    ),
    odd=st.none() | FILES,
)
@hypothesis.settings(max_examples=100)
def test_sound_folders_load_and_only_they_do(counts, odd, place):
    own = place / "own"
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir()
    for name, count in counts.items():
        (own / name).mkdir()
        for i in range(count):
            (own / name / f"{i}.png").write_bytes(IMAGES[i])
    if odd is not None and counts:
        (own / next(iter(counts)) / "odd.png").write_bytes(odd)
    data = loads_or_tells(own, "--image_size=4")
    enough = len(counts) >= 2 and min(counts.values()) >= 3
    apart = all(name.strip() for name in counts)
    looks = {" ".join(name.casefold().split()) for name in counts}
    apart &= len(looks) == len(counts)
    if odd is None:
        assert (data is not None) == (enough and apart)
    if data is not None:
        assert data.class_names == sorted(counts)


# Archives.

KINDS = hnp.scalar_dtypes() | hnp.unicode_string_dtypes() | hnp.byte_string_dtypes()
SHAPES = hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=5)
ANY_ARRAY = hnp.arrays(KINDS, SHAPES)
OBJECTS = st.just(np.array([{"a": 1}, None, "b"], dtype=object))
KEYS = st.sampled_from(
    [
        *("x", "y", "x_train", "y_train", "x_validation", "y_validation"),
        *("x_test", "y_test", "class_names", "ids", "X", "labels", "x_val"),
        *("train_images", "train_labels", "test_images", "test_labels"),
    ]
)


def check_archive(place, content):
    path = place / "own.npz"
    path.write_bytes(content)
    return loads_or_tells(path)


def archive_of(arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


@hypothesis.given(arrays=st.dictionaries(KEYS, ANY_ARRAY | OBJECTS, max_size=6))
@hypothesis.settings(max_examples=150)
def test_any_arrays_load_or_are_refused_by_a_message(arrays, place):
    check_archive(place, archive_of(arrays))


@st.composite
def samples_and_labels(draw):
    n = draw(st.integers(6, 12))
    shape = draw(
        st.sampled_from([(n, 2), (n, 3, 2), (n, 2, 3, 1), (n, 2, 2, 3), (n, 2, 2, 2)])
    )
    kinds = [np.dtype(k) for k in ("uint8", "int16", "float16", "float32", ">f8")]
    kinds += [np.dtype(k) for k in ("bool", "complex64", "longdouble")]
    x = draw(hnp.arrays(st.sampled_from(kinds), shape))
    label = draw(
        st.sampled_from(
            [
                hnp.arrays("int64", n),
                hnp.arrays("uint64", n, elements=st.sampled_from([0, 5, 2**64 - 1])),
                hnp.arrays("int8", (n, 1), elements=st.integers(-1, 1)),
                hnp.arrays("bool", n),
                hnp.arrays("float32", n, elements=st.sampled_from([0, 2, -7])),
                hnp.arrays("float16", n, elements=st.sampled_from([0, 2, np.nan])),
                hnp.arrays("<U4", n, elements=st.sampled_from(["a", "b", "None"])),
                hnp.arrays("<U2", n, elements=st.sampled_from(["a", "B", "é", "b"])),
                hnp.arrays("S2", n, elements=st.sampled_from([b"a", b"b", b"\xff"])),
            ]
        )
    )
    return x, draw(label)


@hypothesis.given(pair=samples_and_labels())
@hypothesis.settings(max_examples=200)
def test_near_right_arrays_are_refused_or_all_their_samples_are_there(pair, place):
    x, y = pair
    data = check_archive(place, archive_of({"x": x, "y": y}))
    if data is None:
        return
    parts = (data.train, data.validation, data.test)
    assert sum(len(own) for own, _ in parts) == len(x)
    labels = y.ravel().tolist()
    labels = [int(v) if isinstance(v, float) else v for v in labels]
    labels = [v.decode() if isinstance(v, bytes) else str(v) for v in labels]
    assert "None" not in labels
    found = [data.class_names[k] for _, own in parts for k in own]
    assert sorted(found) == sorted(labels)
    # The sums of samples do not depend on their order or on that of axes.
    scale = 255 if x.dtype == "uint8" and x.ndim > 2 else 1
    with np.errstate(over="ignore"):
        sums = (x.astype("float32") / np.float32(scale)).reshape(len(x), -1)
    own = np.concatenate([part.reshape(len(part), -1) for part, _ in parts])
    np.testing.assert_array_equal(np.sort(own, axis=None), np.sort(sums, axis=None))


SOUND = archive_of(
    {"x": np.arange(12, dtype="float32").reshape(6, 2), "y": np.repeat(["a", "b"], 3)}
)


@hypothesis.given(content=damaged(SOUND) | st.binary(max_size=100))
@hypothesis.settings(max_examples=200)
def test_damaged_archives_are_refused_by_a_message(content, place):
    check_archive(place, content)


@hypothesis.given(
    name=st.sampled_from(["x.npy", "y.npy", "../y.npy", "/y.npy", "y\\z.npy"])
    | st.text(max_size=5),
    header=st.text("(),[]{}'\"-:0123456789 <f4SUOVdescr", max_size=60),
    version=st.sampled_from(
        [b"\x01\x00", b"\x02\x00\0\0", b"\x03\x00\0\0", b"\x09\x00"]
    ),
)
@hypothesis.settings(max_examples=150)
def test_forged_members_are_refused_by_a_message(name, header, version, place):
    content = b"\x93NUMPY" + version[:2] + len(header).to_bytes(2, "little")
    content += version[2:] + header.encode()
    buffer = io.BytesIO(SOUND)
    with zipfile.ZipFile(buffer, "a") as archive:
        try:
            if name in archive.namelist():
                return
            archive.writestr(name, content)
        except (UnicodeEncodeError, IndexError):  # No name of a member.
            return
    check_archive(place, buffer.getvalue())


@hypothesis.given(
    shape=st.lists(st.integers(-3, 2**70) | st.booleans(), max_size=4),
    kind=st.sampled_from(["<f4", "|u1", "<U0", "|O", "<U3", "|V0", "<M8[s]", "f0"]),
)
@hypothesis.settings(max_examples=150)
def test_headers_that_declare_too_much_allocate_nothing(shape, kind, place):
    header = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {tuple(shape)}}}\n"
    member = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x.npy", member + header.encode())
        archive.writestr("y.npy", npy(np.zeros(4, int)))
    assert check_archive(place, buffer.getvalue()) is None


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def test_the_sound_archive_is_one(place):
    assert check_archive(pathlib.Path(place), SOUND) is not None
