"""Folders of images as people have them: class folders, splits, parts and tables."""

import numpy as np
import pytest
from PIL import Image

from helpers.own_data import load
from helpers.own_data import write_images
from tasks.experiment.errors import UserError

pytestmark = pytest.mark.no_backend


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))


@pytest.fixture
def own(tmp_path):
    return tmp_path / "own"


def read(path):
    return load(path, "--image_size=4")


def refused(path, match):
    with pytest.raises(UserError, match=match):
        read(path)


# Splits.


@pytest.mark.parametrize(
    "train, validation, test",
    [
        ("train", "val", "test"),
        ("Train", "valid", "Test"),
        ("TRAIN", "Validation", "TEST"),
        ("Training", "Val", "Testing"),
    ],
)
def test_splits_have_the_names_that_people_give_them(train, validation, test, own):
    for k, split in enumerate((train, validation, test)):
        write_images(own / split, {"a": 3 + k, "b": 4 + k})
    data = read(own)
    for k, (_, y) in enumerate((data.train, data.validation, data.test)):
        assert np.bincount(y).tolist() == [3 + k, 4 + k]


@pytest.mark.parametrize(
    "names, match",
    [
        (["train", "val", "valid"], "both val and valid. Merge"),
        (["train", "Train"], "both Train and train. Merge"),
        (["val", "test"], "which are splits, and no train"),
    ],
)
def test_splits_without_one_meaning_are_refused(names, match, own):
    for name in names:
        write_images(own / name, {"a": 3, "b": 3})
    refused(own, match)


# Folders in class folders.


@pytest.mark.parametrize("masks", ["masks", "Masks", "lung masks", None])
@pytest.mark.parametrize("images", ["images", "Images"])
def test_images_beside_masks_are_read_and_masks_are_left(images, masks, own, capsys):
    for name, count in {"COVID": 3, "Normal": 4}.items():
        write_images(own / name, {images: count})
        if masks:
            write_images(own / name, {masks: 2})
    (own / "COVID.metadata.xlsx").write_bytes(b"PK")
    data = read(own)
    assert data.class_names == ["COVID", "Normal"]
    assert data.class_counts.tolist() == [1, 2]
    out = capsys.readouterr().out
    assert ("COVID: not read: '" in out) == (masks is not None)


@pytest.mark.parametrize(
    "name", ["kittens", "images2", "image", "images/1", "a/b/c/d/e"]
)
def test_a_class_is_all_images_below_its_folder(name, own, capsys):
    write_images(own, {"dog": 3})
    write_images(own / "cat", {"images": 3, name: 2})
    data = read(own)
    assert data.class_names == ["cat", "dog"]
    assert sum(np.bincount(y)[0] for _, y in (data.train, data.test)) == 4
    inside = "images" if name == "image" else name.partition("/")[0]
    noted = "a class is all images below its folder" in capsys.readouterr().out
    assert noted == (inside != "images")


def test_files_of_masks_beside_their_images_are_left(own, capsys):
    for name in ("benign", "normal"):
        write_images(own, {name: 3})
        for mask in ("0_mask", "0_mask_1", "1-segmentation", "9_mask"):
            (own / name / f"{mask}.png").hardlink_to(own / name / "0.png")
    assert read(own).class_counts.tolist() == [2, 2]  # 9_mask is of no image.
    out = capsys.readouterr().out
    assert "normal: not read: '0_mask.png', '0_mask_1.png', '1-segmentation.png'" in out


@pytest.mark.parametrize(
    "inner, match",
    [
        (["train", "test"], "cat holds 'test', 'train', which are splits"),
        (["left", "right"], "holds 'left', 'right'. Are these the classes"),
    ],
)
def test_folders_in_class_folders_that_may_be_something_else_are_refused(
    inner, match, own
):
    for name in ("cat", "dog"):
        write_images(own / name, dict.fromkeys(inner, 3))
    refused(own, match)


@pytest.mark.parametrize("target", [".", "a", "../cat", "../.."])
def test_links_to_folders_that_are_read_already_are_refused(target, own):
    write_images(own, {"dog": 3})
    write_images(own / "cat", {"a": 3})
    (own / "cat" / "b").symlink_to(target)
    refused(own, "is a link to .*(already|outside)")


def test_folders_may_be_as_deep_as_people_make_them_and_no_deeper(own):
    write_images(own, {"dog": 3, "cat": 3})
    (own / "dog" / "/".join("d" * 20)).mkdir(parents=True)
    assert read(own).class_names == ["cat", "dog"]
    (own / "dog" / "/".join("d" * 21)).mkdir(parents=True)
    refused(own, "more than 20 folders deep")


def test_a_table_in_a_class_folder_is_refused(own):
    write_images(own, {"cat": 3, "dog": 3})
    (own / "cat" / "labels.csv").write_text("name,label\n0.png,cat\n")
    refused(own, "holds 'labels.csv'")


# Parts, and labels in tables.


@pytest.mark.parametrize(
    "names",
    [
        ["HAM10000_images_part_1", "HAM10000_images_part_2"],
        ["images_001", "images_002", "images_012"],
        ["train_images", "test_images"],
        ["part1", "part2"],
        ["images", "masks"],
        ["images", "labels"],
        ["train_images"],
        ["fold_a", "fold_a2"],
    ],
)
@pytest.mark.parametrize("table", [True, False])
def test_parts_of_a_data_set_are_no_classes(names, table, own):
    write_images(own, dict.fromkeys(names, 3))
    if table:
        (own / "metadata.csv").write_text("lesion_id,image_id,dx\nHAM_1,other,bkl\n")
    refused(own, "parts of a data set and not classes. Labels from a table: --labels")


def test_a_folder_of_folders_that_is_one_too_high_is_named(own):
    write_images(own / "dataset", {"cat": 3, "dog": 3})
    refused(own, f"give --data_dir={own / 'dataset'}")


@pytest.mark.parametrize(
    "names",
    [
        ["class_1", "class_2"],
        ["0", "1"],
        ["with_mask", "without_mask"],
        ["day photos", "night photos"],
        ["part", "whole"],
        ["字", "漢"],
    ],
)
def test_classes_that_are_called_somewhat_like_parts_are_classes(names, own):
    assert read(write_images(own, dict.fromkeys(names, 3))).class_names == names


@pytest.mark.parametrize(
    "name, text",
    [
        ("train.csv", "id_code,diagnosis\nx0,2\nx1,0\n"),
        ("labels.tsv", "n\tfile\tlabel\n1\tx0.png\tcat\n2\tx1.png\tdog\n"),
        ("labels.csv", "image;label\nown/a/x0.png;1\nown/b/x1.png;0\n"),
        ("labels.txt", "file label\nx0.png 1\nx1.png 0\n"),
        ("labels.csv", '\ufeff"image","label"\r\n"x0","a"\r\n"x1","b"\r\n'),
    ],
)
def test_folders_beside_a_table_that_lists_their_images_are_refused(name, text, own):
    for k, folder in enumerate(("a", "b")):
        write_images(own, {folder: 3})
        (own / folder / "0.png").rename(own / folder / f"x{k}.png")
    (own / name).write_text(text)
    refused(own, f"{name} lists the images of the folders beside it, in its column")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"class,meaning\na,apple\nb,bear\n",
        b"Images of apples and bears\n\nby nobody\n",
        b'"' * 9,
        b"\xff\0,\n\0,\n",
        b"a\n" * 9,
    ],
)
def test_other_files_beside_class_folders_are_left(content, own):
    write_images(own, {"a": 3, "b": 3})
    for name in ("README.txt", "classes.csv"):
        (own / name).write_bytes(content)
    assert read(own).class_names == ["a", "b"]


def test_images_beside_folders_say_how_a_table_is_read(own):
    write_images(own, {"a": 3, "b": 3})
    Image.new("RGB", (4, 4)).save(own / "loose.tif")
    refused(own, "'loose.tif'.*Labels from a table: --labels=FILE")


# Names of classes.


@pytest.mark.parametrize("name", ["cat\u200b", "\u202ecat"])
def test_names_with_what_cannot_be_seen_are_refused(name, own):
    refused(write_images(own, {"cat": 3, name: 3}), "cannot be seen")


def test_a_folder_of_images_without_a_label_is_no_class(own):
    refused(write_images(own, {"cat": 3, "nan": 3}), "a missing label is written")
    (own / "nan").rename(own / "none")
    assert read(own).class_names == ["cat", "none"]


def test_names_of_one_look_are_refused_over_splits(own):
    write_images(own / "train", {"cat": 3, "dog": 3})
    write_images(own / "test", {"cat\ufe0f": 3, "dog": 3})
    refused(own, r"differ only in case.*: 'cat' and 'cat.*ufe0f'")
