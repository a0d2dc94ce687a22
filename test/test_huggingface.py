"""Data sets of the package datasets, from files: corpora to learn from, and tagged by map."""

import json

import pytest
from samples import sentences as made

import rnntag
from rnntag.adapters.huggingface import sentences
from rnntag.corpus import Sentence
from rnntag.errors import CorpusError

CORPUS = made(40)
NAMES = ["DT", "NN", "TO", "VB"]
ROWS = [{"tokens": s.words, "tags": s.tags} for s in CORPUS]


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:  # read when it is imported
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("HF_DATASETS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield pytest.importorskip("datasets", reason="datasets is not installed")


@pytest.fixture(scope="module")
def tagger():
    return rnntag.train([list(zip(s.words, s.tags)) for s in CORPUS], epochs=3, hidden=4, embedding=4)


@pytest.fixture(params=["parquet", "json"])
def data(datasets, tmp_path, request):
    """A data set loaded from a folder of files."""
    (tmp_path / "corpus").mkdir()
    for i in range(2):
        part = datasets.Dataset.from_list(ROWS[i::2])
        if request.param == "parquet":
            part.to_parquet(tmp_path / "corpus" / f"{i}.parquet")
        else:
            (tmp_path / "corpus" / f"{i}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS[i::2]))
    return datasets.load_dataset(request.param, data_dir=str(tmp_path / "corpus"), split="train")


def test_a_folder_of_files_is_a_corpus(data):
    assert list(sentences(data)) == [
        Sentence(s.words, s.tags, number) for number, s in enumerate(CORPUS[::2] + CORPUS[1::2], 1)]
    assert rnntag.train(sentences(data), epochs=1, hidden=4, embedding=4).tags.strings[1:] == NAMES


def test_map_tags_a_data_set(datasets, data, tagger):
    from rnntag.adapters.arrow import BatchTagger

    untagged = data.remove_columns("tags")
    for options in ({}, {"batch_size": 7}, {"num_proc": 2}):
        tagged = untagged.map(BatchTagger(tagger), batched=True, **options)
        assert list(tagged["tags"]) == list(tagger.tag(data["tokens"]))
        assert set(tagged["error"]) == {None} and tagged.column_names == ["tokens", "tags", "error"]
    assert untagged.with_format("arrow").map(BatchTagger(tagger), batched=True).with_format(None)[:] == tagged[:]
    stream = untagged.to_iterable_dataset().map(BatchTagger(tagger, probabilities=True), batched=True)
    assert [row["tags"] for row in stream] == list(tagged["tags"])


def test_an_answer_is_kept_until_the_model_is_another(datasets, data, tagger, tmp_path):
    from rnntag.adapters.arrow import BatchTagger

    rnntag.save(tagger, tmp_path / "m")
    prints = [data.map(BatchTagger(tmp_path / "m"), batched=True)._fingerprint for _ in range(2)]
    rnntag.save(rnntag.train([[("a", "X")]], epochs=1, hidden=2), tmp_path / "m", force=True)
    other = data.map(BatchTagger(tmp_path / "m"), batched=True)
    assert prints[0] == prints[1] != other._fingerprint and {tag for tags in other["tags"] for tag in tags} == {"X"}


def test_tags_that_are_numbers_get_their_names(datasets):
    rows = {"words": [s.words for s in CORPUS], "pos": [[NAMES.index(tag) for tag in s.tags] for s in CORPUS]}
    features = datasets.Features({"words": datasets.Sequence(datasets.Value("string")),
                                  "pos": datasets.Sequence(datasets.ClassLabel(names=NAMES))})
    data = datasets.Dataset.from_dict(rows, features)
    assert [s.tags for s in sentences(data, "words", "pos")] == [s.tags for s in CORPUS]


@pytest.mark.parametrize("row, message", [
    ({"words": ["a"], "tags": ["X"]}, "dataset: no column 'tokens'; there are words, tags"),
    ({"tokens": ["a"]}, "dataset: no column 'tags'; there are tokens"),
    ({"tokens": ["a", "b"], "tags": ["X"]}, "row 2: tokens"), ({"tokens": None, "tags": None}, "row 2: tokens None"),
    ({"tokens": ["a"], "tags": [3]}, "row 2: the tag 3; a tag is text"),
    ({"tokens": ["a"], "tags": [None]}, "row 2: the tag None")])
def test_rows_that_are_no_tagged_sentences(row, message):
    first = {"tokens": ["a"], "tags": ["X"]} if message.startswith("row") else row
    with pytest.raises(CorpusError) as error:
        list(sentences([first, row]))
    assert str(error.value).startswith(message)
