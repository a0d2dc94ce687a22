"""What is written is read back the same, for anything that can be written (hypothesis; extra: test)."""

import json
import os
import string
import warnings
from io import BytesIO
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from formatted import sentences as parsed
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from resuming import ends_the_same

from rnntag import corpus, files
from rnntag.corpus import FORMATS, Column, Sentence, Skipped
from rnntag.errors import CorpusError, CorpusWarning, ModelError, OptionError, RnntagError
from rnntag.models.hmm import HMMTagger
from rnntag.models.options import Options
from rnntag.models.tagger import RNNTagger
from rnntag.storage import modelfile
from rnntag.storage.archive import containers, pack_arrays, parse_json, unpack_arrays
from rnntag.text.vocab import Vocab
from rnntag.training.tagging import TaggingTask
from rnntag.training.trainer import Trainer

pytestmark = pytest.mark.filterwarnings("ignore::rnntag.errors.CorpusWarning")
# The same examples everywhere, and no database of failures in the checkout.
settings.register_profile("rnntag", derandomize=True, database=None, deadline=None, max_examples=60,
                          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
settings.load_profile("rnntag")

ODD = "_\t \u00a0\u2028\u3000\u0085\r\n\ufeff\0\u0301\U0001f600\"\\#/-[{:1."  # what formats trip over
texts = st.text(st.one_of(st.sampled_from(ODD + string.ascii_letters), st.characters()), max_size=6)
some = texts.filter(bool)
names = st.text("abcXY1.[-\u00e9\u00a0\u3000\U0001f600", min_size=1, max_size=4)


@pytest.fixture(scope="module", autouse=True)
def no_waiting_for_the_disk():
    """What is synced to the disk is not tested here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


def pairs(words, tags=names, least=0):
    return st.lists(st.tuples(words, tags), min_size=least, max_size=5)


def sentence(items):
    return Sentence([word for word, _ in items], [tag for _, tag in items])


def corpora_of(words):
    return st.lists(pairs(words, least=1).map(sentence), min_size=1, max_size=4)


corpora = corpora_of(names)


# ------------------------------------------------------------------ formats


def read_back(data, name, separator):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "corpus"
        path.write_bytes(data)
        return list(corpus.read(path, name, separator=separator))


def as_far_as(kind, item):
    """What a format holds of a sentence."""
    return (item.words if kind.has_words else [""] * len(item),
            (item.tags or []) if kind.has_tags else None)


@pytest.mark.parametrize("name", FORMATS)
@given(items=st.lists(pairs(some, some), max_size=4), separator=st.sampled_from(["_", "/", "__", "|x"]))
def test_what_a_format_writes_it_reads_back_the_same(name, items, separator):
    kind = FORMATS[name]
    assume(name != "conllu" or all(tag != "_" for item in items for _, tag in item))  # which means: no tag
    sentences = [sentence(item) for item in items]
    try:
        data = "".join(map(kind(separator).write, sentences)).encode()
    except (CorpusError, UnicodeEncodeError):  # it says that it cannot be written
        return
    assume(not data.startswith(b"\xef\xbb\xbf"))  # taken for a byte order mark, with a warning
    again = read_back(data, name, separator)
    assert [as_far_as(kind, s)[0] for s in sentences] == [s.words for s in again]
    if kind.has_tags:
        assert [s.tags for s in sentences] == [s.tags or [] for s in again]
    rewritten = "".join(map(kind(separator).write, again)).encode()
    assert rewritten == data


@pytest.mark.parametrize("name", ["conllu", "jsonl"])
@given(table=st.lists(st.tuples(names, st.just("") | names, st.just("") | names), max_size=5),
       chosen=st.lists(st.sampled_from(["upos", "feats", "lemma"]), min_size=2, max_size=2, unique=True),
       p=st.none() | st.integers(0, 4))
def test_several_columns_are_read_back_the_same(name, table, chosen, p):
    if name == "conllu":  # where no features are a value
        assume(all(value or field != "feats" for row in table for field, value in zip(chosen, row[1:])))
    columns = {field: Column([row[i] for row in table], None if p is None else [[(row[i], p / 4)] for row in table])
               for i, field in enumerate(chosen, 1)}
    columns = {field: column for field, column in columns.items() if any(column.values)}
    kind = FORMATS[name](fields=chosen, want="some")
    data = kind.write(Sentence([word for word, _, _ in table], columns)).encode()
    (again,) = list(kind.read(corpus.Lines(BytesIO(data), "f")))[:1] or [Sentence([])]
    assert {field: column for field, column in again.columns.items() if column.values} == columns
    if name == "jsonl":
        assert [again.columns[field].best for field in columns] == [column.best for column in columns.values()]
    assert kind.write(again).encode() == data


@pytest.mark.parametrize("name", FORMATS)
@given(sentences=corpora)
def test_plain_words_and_tags_can_be_written_in_every_format(name, sentences):
    for one in sentences:
        FORMATS[name]().write(one)


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.one_of(st.binary(max_size=60), st.text(ODD + "aB", max_size=60).map(str.encode)))
def test_any_bytes_are_read_or_refused_with_a_line_number(name, data):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", CorpusWarning)
            read_back(data, name, "_")
    except RnntagError as error:
        assert error.place.rpartition(":")[2].isdigit() or " data " in error.found, str(error)


# ------------------------------------------------------------------ id maps, arrays, options


@given(st.lists(some, unique=True))
def test_an_id_map_gives_back_every_string(strings):
    vocab = Vocab(strings)
    assert [vocab.strings[i] for i in vocab.ids(strings)] == strings
    assert len(vocab) == len(strings) + 1 and vocab.strings[0] == ""


@given(st.dictionaries(st.sampled_from(["words", "tags", "x"]), st.lists(some, unique=True)))
def test_id_maps_are_read_as_they_were_written(maps):
    maps = {name: ["", *strings] for name, strings in maps.items()}
    data = json.dumps(maps, ensure_ascii=False).encode()
    modelfile.check_ids(maps)
    assert parse_json(data, "place") == maps
    assert containers(data) in (0, len(maps) + 1), "brackets within strings are no lists"


@given(st.dictionaries(st.text(string.ascii_letters + "0._", min_size=1, max_size=9), st.tuples(
    st.integers(0, 3), st.integers(0, 3)), max_size=4), st.sampled_from(["float32", "float64"]), st.integers(0, 99))
def test_arrays_come_back_bit_for_bit(shapes, dtype, seed):
    rng = np.random.default_rng(seed)
    arrays = {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}
    data = pack_arrays(arrays)
    back = unpack_arrays("place", data, shapes, dtype)
    assert {name: array.tobytes() for name, array in back.items()} == {n: a.tobytes() for n, a in arrays.items()}
    assert pack_arrays(back) == data


options = st.fixed_dictionaries({
    "embedding": st.integers(1, 3), "hidden": st.integers(1, 3), "epochs": st.just(2)}, optional={
    "cell": st.sampled_from(["elman", "gru", "lstm"]), "output": st.sampled_from(["softmax", "crf"]),
    "bidirectional": st.booleans(), "layers": st.integers(1, 2), "char_rnn": st.integers(0, 2),
    "dense": st.sampled_from([(), ("2",), ("3:relu", "2:sigmoid")]), "batch_size": st.integers(1, 3),
    "features": st.sampled_from(["form", "form,shape", "suffixes,lower"]), "average": st.sampled_from([0.0, 0.5, 1]),
    "optimizer": st.sampled_from(["sgd", "momentum", "adagrad", "rmsprop", "adam"]),
    "clip": st.sampled_from([0.0, 5, 1e300]), "seed": st.integers(0, 2 ** 63 - 1)})


@given(options)
def test_options_are_read_as_they_were_written(values):
    made = Options(**values)
    assert Options.from_dict(json.loads(json.dumps(made.to_dict()))) == made


@given(st.dictionaries(st.sampled_from(sorted(Options().to_dict())), st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), texts, st.lists(st.integers(), max_size=2))))
@example({"clip": 10 ** 400})
@example({"clip": float("inf")})
@example({"learning_rate": float("nan")})
def test_any_json_is_taken_as_options_or_refused(values):
    try:
        json.dumps(Options.from_dict(values).to_dict(), allow_nan=False)
    except OptionError:
        pass


# ------------------------------------------------------------------ models and checkpoints


@given(corpora_of(some), st.one_of(st.none(), options), st.dictionaries(texts, texts, max_size=2))
@example([sentence([("a", "X"), ("\u0301", "Y")])], {"features": "form,shape", "char_rnn": 2}, {})
@settings(max_examples=40)
def test_a_model_is_loaded_as_it_was_saved_and_saved_again_the_same(sentences, values, info):
    tagger = HMMTagger.train(sentences) if values is None else RNNTagger.create(
        sentences, Options(**values), np.random.default_rng(1))
    with TemporaryDirectory() as folder:
        one, other = Path(folder, "one"), Path(folder, "other")
        tagger.info = info
        modelfile.save(one, tagger)
        again = modelfile.load(one)
        assert modelfile.read_manifest(one)["info"] == info
        modelfile.save(other, again)
        assert all((one / name).read_bytes() == (other / name).read_bytes() for name in files.MODEL_FILES)
        texts = [s.words for s in sentences] + [["new", "words"], []]
        assert list(again.tag(texts)) == list(tagger.tag(texts))


@given(corpora, options, st.integers(1, 8))
@settings(max_examples=30)
def test_a_run_ends_the_same_wherever_it_is_taken_up_again(sentences, values, stop):
    def start():
        rng = np.random.default_rng(1)
        tagger = RNNTagger.create(sentences, Options(**values), rng)
        return Trainer(TaggingTask(tagger, sentences, sentences[:1]), rng)

    updates = sum(len(start()._batches()) for _ in range(start().options.epochs))
    with TemporaryDirectory() as folder:
        ends_the_same(start, Path(folder), min(stop, updates))


@given(st.dictionaries(texts, st.one_of(
    st.none(), st.integers(), texts, st.lists(st.lists(texts, max_size=2), max_size=2)), max_size=3))
def test_any_manifest_is_refused(values):
    with TemporaryDirectory() as folder:
        Path(folder, "model.json").write_text(json.dumps({"format": "rnntag", "format_version": 1} | values))
        with pytest.raises(ModelError):
            modelfile.load(folder)


def blocks_of(lines, limit):
    """The line in which each sentence begins, and its words, straight from the rule; None where they are too many."""
    found, first, words = [], 1, []
    for number, line in enumerate([*lines, None], 1):
        if line:
            words.append(line)
        elif line == "" or words:
            found.append((first, None if len(words) > limit else words))
            first, words = number + 1, []
    return found


@pytest.mark.parametrize("end", ["", "\n"])
def test_every_sequence_of_lines_and_blank_lines_falls_into_its_sentences(monkeypatch, end):
    monkeypatch.setattr(corpus.Format, "max_lines", 2)
    for lines in product(*[("", "a")] * 7):
        if end == "" and lines[-1] == "":
            continue  # the same file as without this line
        skipped, wanted = Skipped(), blocks_of(lines, 2)
        found = parsed("\n".join(lines) + end, "vertical", skipped)
        assert [(s.line, s.words) for s in found] == [(line, words or []) for line, words in wanted]
        bad = [line for line, words in wanted if words is None]
        assert [error.place for error in skipped.first] == [f"file:{line}" for line in bad]
