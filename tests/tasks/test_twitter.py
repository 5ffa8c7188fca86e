"""Parts of speech: facts of the published corpus, and rules on made ones."""

import os
import pathlib

import numpy as np
import pytest

from helpers import made_texts
from keras_m2m import imbalance_ratio
from tasks import twitter
from tasks.experiment import settings
from tasks.experiment.errors import UserError
from tasks.training.train import train

DATA = os.environ.get("DATA")
needs_data = pytest.mark.skipif(not DATA, reason="needs the folder named by DATA")


@pytest.fixture
def folder(tmp_path):
    made_texts.write_tweets(tmp_path)
    made_texts.write_vectors(tmp_path / "embeddings-twitter.txt")
    return tmp_path


@needs_data
@pytest.mark.parametrize("protocol", ["m2m", "field"])
def test_the_corpus_has_the_published_size(protocol):
    published = pathlib.Path(DATA) / "twitter_pos"
    data = made_texts.read_twitter(
        published,
        verify=True,
        protocol=protocol,
        embeddings=str(published / "twitter-vectors-50d.txt"),
    )
    counts = data.class_counts
    assert counts.sum() == 14614
    assert len(counts) == 23
    assert (counts.max(), counts.min()) == (2219, 15)
    assert round(imbalance_ratio(counts), 1) == 147.9
    # Both of its own splits, less nothing: the two tags are in neither.
    assert (len(data.validation[1]), len(data.test[1])) == (4823, 7152)
    assert data.sample_shape == (50,)
    assert "twitter-vectors-50d.txt (git blob " in data.source
    assert "words without one" not in data.source


def test_a_sample_is_the_vector_of_its_token(folder):
    vectors = made_texts.write_vectors(folder / "embeddings-twitter.txt")
    data = made_texts.read_twitter(folder)
    tokens = [line.split("\t") for line in read_lines(folder, "tweets-devtest.txt")]
    expected = np.stack([vectors[token] for token, _ in tokens])
    np.testing.assert_array_equal(data.test[0], expected)
    assert [data.class_names[k] for k in data.test[1]] == [tag for _, tag in tokens]
    assert data.train[0].dtype == np.float32


def read_lines(folder, name):
    return [line for line in (folder / name).read_text().split("\n") if line]


def test_tags_without_test_tokens_are_dropped_everywhere(folder):
    made_texts.write_tweets(folder, test={"N": 3, "E": 2})
    data = made_texts.read_twitter(folder)
    assert data.class_names == ["E", "N"]
    assert data.class_counts.tolist() == [6, 30]
    assert np.bincount(data.validation[1]).tolist() == [6, 30]


def test_a_tag_without_training_tokens_says_so(folder):
    made_texts.write_tweets(folder, train={"N": 3, "E": 2})
    with pytest.raises(UserError, match=r"without training tokens: \['V'\]"):
        made_texts.read_twitter(folder)


def test_validation_without_a_token_of_the_classes_says_so(folder):
    made_texts.write_tweets(folder, dev={"M": 2})
    with pytest.raises(UserError, match=r"tweets-dev\.txt has no token"):
        made_texts.read_twitter(folder)


def test_a_line_that_is_no_pair_is_named(folder):
    path = folder / "tweets-dev.txt"
    path.write_text("so\tP\n\nwhat O\n")
    with pytest.raises(UserError, match=r"tweets-dev\.txt, line 3: .*'what O'"):
        made_texts.read_twitter(folder)


def drop_first_vector(path, more=()):
    lines = path.read_text().splitlines()
    made_texts.write_lines(path, [*lines[1:], *more])


def test_words_without_a_vector_get_zeros_and_are_counted(folder):
    drop_first_vector(folder / "embeddings-twitter.txt")  # that of N0
    data = made_texts.read_twitter(folder)
    assert "1 of 20 words without one get zeros" in data.source
    first = read_lines(folder, "tweets-train.txt")[0]
    assert first == "N0\tN"
    assert not data.train[0][0].any()


def test_words_without_a_vector_get_that_of_the_unknown_word(folder):
    drop_first_vector(folder / "embeddings-twitter.txt", ["UUUNKKK\t1 2 3 4"])
    data = made_texts.read_twitter(folder)
    assert "1 of 20 words without one get that of UUUNKKK" in data.source
    assert data.train[0][0].tolist() == [1, 2, 3, 4]


def test_vectors_may_be_separated_by_spaces_and_are_named_by_their_blob(folder):
    other = folder / "other.txt"
    text = (folder / "embeddings-twitter.txt").read_text()
    other.write_text(text.replace("\t", " "))
    data = made_texts.read_twitter(folder, embeddings=str(other))
    same = made_texts.read_twitter(folder)
    np.testing.assert_array_equal(data.train[0], same.train[0])
    assert "other.txt" in data.source
    assert data.source != same.source.replace("embeddings-twitter.txt", "other.txt")


@pytest.mark.parametrize(
    "line, expected",
    [
        ("N1\t1 2 3", "4 finite numbers"),
        ("N1\t1 2 3 nan", "4 finite numbers"),
        ("N1\t1 2 3 1e39", "4 finite numbers"),
        ("N1\t1 2 3 four", "4 finite numbers"),
        ("N1\t", "4 finite numbers"),
        ("N1", "4 finite numbers"),
    ],
)
def test_a_vector_that_is_none_is_named(folder, line, expected):
    path = folder / "embeddings-twitter.txt"
    path.write_text("N0\t1 2 3 4\n" + line + "\n")
    with pytest.raises(UserError, match=rf"twitter\.txt, line 2: .*{expected}"):
        made_texts.read_twitter(folder)


def test_vectors_of_other_words_say_so(folder):
    (folder / "embeddings-twitter.txt").write_text("hello\t1 2\n")
    with pytest.raises(UserError, match=r"a vector for none of the tweets' words"):
        made_texts.read_twitter(folder)


def test_missing_vectors_tell_of_the_flag_for_others(folder):
    (folder / "embeddings-twitter.txt").unlink()
    with pytest.raises(UserError, match=r"give --embeddings for other vectors"):
        made_texts.read_twitter(folder)
    with pytest.raises(UserError, match=r"no-file cannot be read.*--embeddings"):
        made_texts.read_twitter(folder, embeddings="no-file")


def test_the_published_files_are_required(folder):
    with pytest.raises(UserError, match=r"tweets-train\.txt is not the file that was"):
        made_texts.read_twitter(folder, verify=True)


@pytest.mark.no_backend
def test_m2m_is_trained_on_tokens(folder, tmp_path):
    chosen = settings.parse(
        twitter.TASK,
        [
            f"--data_dir={folder}",
            *("--noverify", "--epochs=2", "--defer_epoch=1", "--batch_size=16"),
            *("--steps=2", "--gamma=0"),
        ],
    )
    assert (chosen.beta, chosen.lam, chosen.step_size) == (0.9, 0.5, 0.1)
    data = twitter.load(chosen)
    assert data.class_counts.tolist() == [6, 30, 12]
    g = twitter.TASK.build(data, "dense", chosen)
    trained = train(twitter.TASK, data, chosen, tmp_path / "logs", g)
    assert trained.f.output_shape == (None, 3)
    # Without a threshold, g accepts what is translated.
    assert trained.history[-1]["acceptance_rate"] == 1
