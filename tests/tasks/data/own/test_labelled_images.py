"""Photographs whose labels are in a table, in the layouts of public data sets."""

import numpy as np
import pytest
from PIL import Image

from helpers.own_data import load
from tasks.experiment.errors import UserError

pytestmark = [pytest.mark.no_backend, pytest.mark.usefixtures("kept")]


@pytest.fixture
def own(tmp_path):
    return tmp_path / "own"


def write_files(folder, files):
    """Pictures of one shade each, that of their number, so that they can be found."""
    for number, name in enumerate(files):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4), number).save(path)


def read(folder, *flags):
    return load(folder, "--image_size=4", "--test_fraction=0.3", *flags)


def shades(part):
    """The numbers of the files in a part, and the label of each."""
    x, y = part
    numbers = np.rint(x.reshape(len(x), -1)[:, 0] * 255).astype(int)
    return dict(zip(numbers.tolist(), y.tolist(), strict=True))


def labels(data):
    """The class of each file, by its number."""
    parts = filter(None, (data.train, data.validation, data.test))
    found = [shades(part) for part in parts]
    assert sum(map(len, found)) == len({n for own in found for n in own})
    return {n: data.class_names[y] for own in found for n, y in own.items()}


def refused(folder, match, *flags):
    with pytest.raises(UserError, match=match):
        read(folder, *flags)


# Layouts.

DX = ["nv", "mel", "bkl", "nv", "mel", "bkl", "nv", "mel", "bkl"]


def ham(folder, dx=DX, header="lesion_id,image_id,dx,dx_type,age"):
    """HAM10000: two parts, and a table beside them."""
    ids = [f"ISIC_{i:07d}" for i in range(len(dx))]
    write_files(
        folder, [f"HAM_images_part_{1 + i % 2}/{n}.jpg" for i, n in enumerate(ids)]
    )
    rows = [f"HAM_{i:07d},{n},{d},histo,{i}" for i, (n, d) in enumerate(zip(ids, dx))]
    (folder / "HAM_metadata.csv").write_text("\n".join([header, *rows]) + "\n")
    (folder / "LICENSE.txt").write_text("CC")
    return dict(enumerate(dx))


@pytest.mark.parametrize("flags", [[], ["--labels=HAM_metadata.csv"], ["--label=dx"]])
def test_images_in_parts_have_the_labels_of_the_table_beside_them(flags, own, capsys):
    expected = ham(own)
    assert labels(read(own, *flags)) == expected
    out = capsys.readouterr().out
    said = "HAM_metadata.csv: labels are in 'dx', the names of images in 'image_id'"
    assert said in out


@pytest.mark.parametrize("flags", [[], ["--label=dx"], ["--id=image_id"]])
def test_what_columns_are_without_a_flag_is_known_with_one_too(flags, own):
    ham(own)
    assert read(own, *flags).defaults == {"label": "dx", "id": ["image_id"]}


def test_the_table_may_be_elsewhere_and_columns_may_be_named(own, tmp_path):
    expected = ham(own, header="a,b,c,d,e")
    (own / "HAM_metadata.csv").rename(tmp_path / "x.csv")
    found = read(own, f"--labels={tmp_path}/x.csv", "--id=b", "--label=c")
    assert labels(found) == expected


def test_tables_by_split_are_the_splits_and_one_without_labels_is_told(own, capsys):
    # APTOS: train.csv with labels, test.csv without.
    write_files(own, [f"train_images/{i:012x}.png" for i in range(8)])
    write_files(own, [f"test_images/f{i:011x}.png" for i in range(3)])
    rows = [f"{i:012x},{2 * (i % 2)}" for i in range(8)]
    (own / "train.csv").write_text("id_code,diagnosis\n" + "\n".join(rows))
    (own / "test.csv").write_text("id_code\nf00000000000\n")
    (own / "sample_submission.csv").write_text("id_code,diagnosis\nf00000000000,0\n")
    assert labels(read(own)) == {i: str(2 * (i % 2)) for i in range(8)}
    assert "3 of 11 images are in no row and are not read" in capsys.readouterr().out
    assert labels(read(own, "--labels=train.csv"))
    assert "test.csv is not read" in capsys.readouterr().out
    (own / "test.csv").write_text("id_code,diagnosis\nf00000000000,0\nf00000000001,2\n")
    assert shades(read(own).test) == {0: 0, 1: 1}


def test_marks_of_classes_in_columns_of_their_own_are_labels(own, capsys):
    # ISIC 2019: image,MEL,NV,...,UNK.
    write_files(own, [f"ISIC_2019_Training_Input/ISIC_{i}.jpg" for i in range(8)])
    rows = [f"ISIC_{i},{float(i % 2 == 0)},{float(i % 2)},0.0" for i in range(8)]
    text = "\n".join(["image,MEL,NV,UNK", *rows])
    (own / "ISIC_2019_Training_GroundTruth.csv").write_text(text)
    meta = "\n".join(f"ISIC_{i},{30 + i},torso,BCN_{i},female" for i in range(8))
    head = "image,age_approx,anatom_site_general,lesion_id,sex\n"
    (own / "ISIC_2019_Training_Metadata.csv").write_text(head + meta)
    expected = {i: ["MEL", "NV"][i % 2] for i in range(8)}
    assert labels(read(own)) == expected
    assert "no row is of the class 'UNK'" in capsys.readouterr().out
    assert labels(read(own, "--label=MEL,NV")) == expected
    text = text.replace("ISIC_3,0.0,1.0", "ISIC_3,1.0,1.0")
    (own / "ISIC_2019_Training_GroundTruth.csv").write_text(text)
    refused(own, "1 of 8 rows do not, the first of them row 4", "--label=MEL,NV")


def test_a_column_says_the_split_of_each_image(own):
    write_files(own, [f"images/{i}.png" for i in range(8)])
    splits = ["train"] * 4 + ["valid"] * 2 + ["test"] * 2
    rows = [f"{i}.png,{'ab'[i % 2]},{split}" for i, split in enumerate(splits)]
    (own / "labels.csv").write_text("\n".join(["file,label,split", *rows]))
    data = read(own)
    parts = (data.train, data.validation, data.test)
    assert [sorted(shades(part)) for part in parts] == [[0, 1, 2, 3], [4, 5], [6, 7]]


def test_folders_of_splits_are_the_splits_of_images_that_a_table_lists(own):
    write_files(own, [f"{'test' if i > 5 else 'train'}/{i}.png" for i in range(8)])
    rows = [f"{i},{'ab'[i % 2]}" for i in range(8)]
    (own / "labels.csv").write_text("\n".join(["id,breed", *rows]))
    data = read(own, "--protocol=field")
    assert shades(data.test) == {6: 0, 7: 1}
    rows = rows[:6]
    (own / "labels.csv").write_text("\n".join(["id,breed", *rows]))
    assert sorted(labels(read(own))) == [*range(6)]


# Names of images.


@pytest.mark.parametrize(
    "write",
    [
        "{}.png",
        "img/{}.png",
        "./img/{}.png",
        "own/img/{}.png",
        r"C:\photos\img\{}.png",
        "{}.PNG",
        "{}.dcm",
        "{}",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_names_are_found_however_they_are_written(write, encoding, own):
    names = [f"{i:03d}é" for i in range(6)]
    write_files(own, [f"img/{name}.png" for name in names])
    rows = [f"{write.format(name)};{'ab'[i % 2]}" for i, name in enumerate(names)]
    text = "\r\n".join(["Bild;Klasse", *rows])
    (own / "labels.csv").write_bytes(text.encode(encoding))
    assert labels(read(own)) == {i: "ab"[i % 2] for i in range(6)}


def test_names_of_digits_keep_their_zeros(own):
    write_files(own, [*(f"{i:04d}.png" for i in range(6)), "1e2.png", "7.png"])
    rows = [*(f"{i:04d},{i % 2}" for i in range(6)), "1e2,0", "7,1"]
    (own / "labels.csv").write_text("\n".join(["id,label", *rows]))
    assert labels(read(own)) == {i: str(i % 2) for i in range(8)}


def table(folder, rows, header="file,label", count=8):
    write_files(folder, [f"{i}.png" for i in range(count)])
    (folder / "labels.csv").write_text("\n".join([header, *rows]))


ROWS = [f"{i}.png,{'ab'[i % 2]}" for i in range(8)]


def test_rows_without_a_file_and_files_without_a_row_are_told(own, capsys):
    table(own, [*ROWS, "../../etc/passwd,a", "lost,c"], count=10)
    data = read(own)
    assert labels(data) == {i: "ab"[i % 2] for i in range(8)}
    out = capsys.readouterr().out
    assert "2 of 10 rows name no image that is there" in out
    assert "left out: '../../etc/passwd', 'lost'" in out
    assert "2 of 10 images are in no row" in out


def test_a_row_that_is_there_twice_is_told_and_one_that_contradicts_is_refused(
    own, capsys
):
    table(own, [*ROWS, "3.jpg,b", "4,a"])
    assert len(labels(read(own))) == 8
    assert "2 rows repeat another one of the same image" in capsys.readouterr().out
    table(own, [*ROWS, "3.jpg,a"])
    refused(own, r"1 rows contradict .* such as '3.png': b \(train\) and a \(train\)")


def test_an_image_of_two_splits_is_refused(own):
    table(own, [f"{row},train" for row in ROWS] + ["0.png,a,test"], "file,label,split")
    refused(own, r"'0.png': a \(train\) and a \(test\)")


def test_names_that_stand_for_several_files_are_refused(own):
    table(own, ROWS)
    write_files(own, ["3.jpg", "more/5.png"])
    assert (own / "3.jpg").exists()
    refused(own, "1 rows name several files, such as '5.png': .*5.png and .*more/5.png")
    table(own, [row.replace(".png", "") for row in ROWS])
    refused(own, "2 rows name several files, such as '3': .*3.jpg and .*3.png")


def test_missing_labels_are_refused_or_left_out(own):
    table(own, [*ROWS[:-1], "7.png,"])
    refused(own, "1 of 8 rows have no label")
    assert sorted(labels(read(own, "--missing=drop"))) == [*range(7)]


def test_numbers_are_in_their_order(own):
    table(own, [f"{i}.png,{[9, 10][i % 2]}" for i in range(8)])
    assert read(own).class_names == ["9", "10"]


# Columns.


@pytest.mark.parametrize(
    "header, cells, flags, match",
    [
        ("file,diagnosis,target", "x,{}", [], "'diagnosis', 'target' may each be it"),
        ("file,a,b", "x{},{}", [], "which column is the label.*none is called so"),
        ("file,label", "{}", ["--label=dx"], "holds no column 'dx' beside"),
        ("file,label", "{}", ["--id=dx"], "--id=dx: .* holds no such column"),
        ("file,label", "{}", ["--id=a", "--id=b"], "give the one column"),
        ("file,label", "{}", ["--group=dx"], "--group=dx: .* holds no such column"),
        ("file,label", "{}", ["--labels=nowhere.csv"], "nowhere.csv is no file"),
        ("file,label", "{}", ["--labels=../../etc"], "is no file"),
        ("file,label", "{}", ["--labels="], "is empty"),
    ],
)
def test_columns_that_are_not_clear_are_asked_for(header, cells, flags, match, own):
    table(own, [f"{i}.png,{cells.format(*'ab' * 2)}" for i in range(8)], header)
    flags = flags or ["--labels=labels.csv"]
    refused(own, match, *flags)


def test_several_labels_a_row_are_refused(own):
    table(own, [*ROWS[:6], "6.png,a|b", "7.png,b|a"])
    refused(own, "several labels a row, such as 'a|b'")


def test_two_columns_of_other_names_are_asked_for(own):
    rows = [f"{i}.png,{7 - i}.png,{'ab'[i % 2]}" for i in range(8)]
    table(own, rows, "file,before,label")
    refused(own, "'file', 'before' may each name the images", "--labels=labels.csv")
    assert labels(read(own, "--id=before"))[0] == "b"
    rows = [f"{i},img/{i}.png,{'ab'[i % 2]}" for i in range(8)]
    table(own, rows, "id,path,label")
    assert len(labels(read(own))) == 8  # Of the same images.


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\n\n", b"file,label\n", b"file\n0.png\n", b"\0\0", b"\xff" * 40),
        *(b"PK\3\4", b"a,b\n1,2\n", b'"' * 99, b"file,file\n0.png,1.png\n"),
        b"x,x,x\n0.png,a,b\n",
    ],
)
def test_a_table_of_nothing_is_refused_by_name(content, own):
    table(own, [])
    (own / "labels.csv").write_bytes(content)
    refused(own, "labels.csv", "--labels=labels.csv")
    refused(own, "outside class folders")


def test_class_folders_need_no_table_and_one_that_is_named_wins(own, capsys):
    write_files(own, [f"{'ab'[i % 2]}/{i}.png" for i in range(8)])
    (own / "meanings.csv").write_text("class,meaning\na,apple\nb,bear\n")
    assert read(own).class_names == ["a", "b"]
    (own / "labels.csv").write_text("\n".join(["file,dx", *ROWS]).replace("a", "c"))
    refused(own, "labels.csv lists the images.*give --labels=labels.csv")
    by_table = read(own, "--labels=labels.csv")
    assert by_table.class_names == ["b", "c"]
    assert by_table.defaults == {}  # Without a name, folders are the classes.


def test_columns_of_a_table_need_one(own):
    write_files(own, [f"{'ab'[i % 2]}/{i}.png" for i in range(8)])
    refused(own, "none in .* holds both names of images and labels", "--label=dx")
    refused(own, "--group=patient is a column of --labels", "--group=patient")


# Groups.


def test_a_note_counts_the_rows_that_share_a_group(own, capsys):
    groups = ["L0", "L0", "L1", "L1", "L1", "L2", "", ""]  # The last are of none.
    rows = [f"{i}.png,{'ab'[i % 2]},{group}" for i, group in enumerate(groups)]
    table(own, rows, "image_id,dx,lesion_id", count=8)
    read(own)
    assert "of one 'lesion_id' (5 of 8 rows share theirs)" in capsys.readouterr().out


def test_images_of_a_group_are_in_one_split(own, capsys):
    lesions = [i // 3 for i in range(60)]
    rows = [f"{i}.png,{'aab'[k % 3]},L{k}" for i, k in enumerate(lesions)]
    table(own, rows, "image_id,dx,lesion_id", count=60)
    data = read(own)
    assert "of one 'lesion_id' (60 of 60 rows share theirs)" in (
        capsys.readouterr().out
    )
    data = read(own, "--group=lesion_id", "--validation_fraction=0.2")
    parts = data.train, data.validation, data.test
    found = [{lesions[n] for n in shades(part)} for part in parts]
    assert sum(map(len, found)) == len(set.union(*found)) == 20
    assert [len(set(part[1].tolist())) for part in parts] == [2, 2, 2]
    assert [len(part[1]) for part in parts] == pytest.approx([30, 12, 18], abs=6)
    again = read(own, "--group=lesion_id", "--validation_fraction=0.2")
    np.testing.assert_array_equal(again.test[0], data.test[0])


def test_groups_of_ones_own_splits_must_be_apart(own):
    rows = [
        f"{row},P{i // 4},{'train' if i < 6 else 'test'}" for i, row in enumerate(ROWS)
    ]
    table(own, rows, "file,label,patient,split")
    refused(own, r"'P1' \(1 in all\) are both in train and in test", "--group=patient")


def test_classes_in_too_few_groups_are_named(own):
    table(own, [f"{row},{i % 4}" for i, row in enumerate(ROWS)], "file,label,patient")
    refused(own, r"'a \(2\)', 'b \(2\)'. Each needs 3", "--group=patient")


def test_images_without_a_group_are_on_their_own(own):
    table(
        own,
        [f"{row},{'' if i else 'P'}" for i, row in enumerate(ROWS)],
        "f,label,patient",
    )
    assert len(labels(read(own, "--group=patient"))) == 8


def test_images_in_one_folder_of_a_class_are_in_one_split(own, capsys):
    files = [f"{'ab'[k % 2]}/p{k}/{i}.png" for k in range(10) for i in range(3)]
    write_files(own, files)
    assert (
        "--group=folder keeps them in one split"
        in (read(own), capsys.readouterr())[1].out
    )
    data = read(own, "--group=folder")
    parts = data.train, data.validation, data.test
    found = [{n // 3 for n in shades(part)} for part in parts]
    assert sum(map(len, found)) == len(set.union(*found)) == 10
