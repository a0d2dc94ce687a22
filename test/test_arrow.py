"""Arrow batches: what is added, what is refused row by row; Parquet files on the command line."""

import importlib.util
import pickle
import subprocess
import sys

import pytest
from conftest import ENVIRONMENT, ROOT
from invoking import failure, invoke
from samples import TEXT

import rnntag
from rnntag.cli.test_rnn import main as RNN
from rnntag.corpus import MAX_LINE_BYTES, MAX_SENTENCE_TOKENS
from rnntag.errors import CorpusError, ModelError, OptionError

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra: arrow)")
pytest.importorskip("threadpoolctl", reason="threadpoolctl is not installed (extra: arrow)")
from pyarrow import parquet  # noqa: E402

from rnntag.adapters import arrow  # noqa: E402
from rnntag.adapters.arrow import BatchTagger, tag_batches  # noqa: E402
from rnntag.models.segmenter import SegmenterOptions  # noqa: E402
from rnntag.training.segmenting import train_segmenter  # noqa: E402
from test_segmenter import SMALL, corpus as segmented  # noqa: E402

SENTENCES = [["the", "dog", "runs"], ["a", "cat", "sees", "the", "dog", "."], ["unseen"], ["dogs", "run", "."]] * 5
BAD = [  # a row, and how its error begins
    (None, "null; a list"), ([], "no tokens"), (["the", None], "token 2 is null"), (["", "dog"], "token 1 is ''"),
    (["a"] * (MAX_SENTENCE_TOKENS + 1), "20,001 tokens"), (["a" * (MAX_LINE_BYTES + 1)], "1 tokens with 1,000,001")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("arrow")
    (path / "train.wordtag").write_bytes(TEXT)
    rnntag.save(rnntag.train(path / "train.wordtag", epochs=8, hidden=8, embedding=8), path / "m")
    return path / "m"


def batch(rows, **columns):
    return pa.RecordBatch.from_pydict({"id": pa.array(range(len(rows)), pa.int64()),
                                       "tokens": pa.array(rows, pa.list_(pa.string())), **columns})


def test_the_tags_are_those_of_the_tagger_and_other_columns_pass_through(folder):
    batches = [batch(SENTENCES[:7]), batch([]), batch(SENTENCES[7:])]
    found = list(tag_batches(iter(batches), folder))
    assert [b.num_rows for b in found] == [7, 0, 13] and len({b.schema for b in found}) == 1
    assert found[0].schema.names == ["id", "tokens", "tags", "error"]
    rows = [row for b in found for row in b.to_pylist()]
    assert [row["tags"] for row in rows] == list(rnntag.load(folder).tag(SENTENCES))
    assert [(row["id"], row["tokens"], row["error"]) for row in rows] == [
        (row["id"], row["tokens"], None) for b in batches for row in b.to_pylist()]


def test_probabilities_are_those_of_the_tags(folder):
    (found,) = tag_batches([batch(SENTENCES)], folder, probabilities=True)
    assert found.schema.field("probabilities").type == pa.list_(pa.float32())
    for row, answer in zip(found.to_pylist(), rnntag.load(folder).probabilities(SENTENCES), strict=True):
        assert row["tags"] == answer.tags
        assert row["probabilities"] == pytest.approx([best[0][1] for best in answer.best()], abs=1e-5)


def test_a_table_and_a_mapping_and_other_types_of_lists(folder):
    tagger = BatchTagger(folder)
    tags = tagger(batch(SENTENCES)).column("tags").to_pylist()
    table = pa.Table.from_batches([batch(SENTENCES[:3]), batch(SENTENCES[3:])])
    assert isinstance(tagger(table), pa.Table) and tagger(table).column("tags").to_pylist() == tags
    assert tagger({"tokens": SENTENCES}) == {"tags": tags, "error": [None] * len(SENTENCES)}
    for type in (pa.large_list(pa.large_string()), pa.list_(pa.dictionary(pa.int8(), pa.string()))):
        given = pa.RecordBatch.from_pydict({"tokens": pa.array(SENTENCES, pa.list_(pa.string())).cast(type)})
        assert tagger(given).column("tags").to_pylist() == tags


def test_raw_text_becomes_sentences(folder, tmp_path):
    tagger = rnntag.load(folder)
    with pytest.raises(ModelError, match="a model without a segmenter"):
        BatchTagger(folder, "text", raw=True)
    tagger.parts["segmenter"] = train_segmenter(segmented(), SegmenterOptions(**SMALL))
    rnntag.save(tagger, tmp_path / "m")
    texts = ["Eve reads. Dan sings!", "", None, 7, "Dan"]
    given = pa.RecordBatch.from_pydict({"text": pa.array(texts[:3] + texts[4:])})
    (found,) = tag_batches([given], tmp_path / "m", "text", probabilities=True, raw=True)
    assert found.schema.names == ["text", "words", "tags", "probabilities", "error"]
    first, empty, null, last = found.to_pylist()
    sentences = list(tagger.read(texts[0]))
    assert first["words"] == [sentence.words for sentence in sentences] and len(sentences) == 2
    assert first["tags"] == [sentence.tags for sentence in sentences]
    assert [len(p) for p in first["probabilities"]] == [len(sentence) for sentence in sentences]
    assert empty["words"] == empty["tags"] == [] and empty["error"] is None
    assert null["words"] is null["tags"] is None and null["error"] == "null; a text is wanted"
    assert last["words"] == [["Dan"]]
    assert BatchTagger(tmp_path / "m", "text", raw=True)({"text": texts})["error"][3] == "7; a text is wanted"


@pytest.mark.parametrize("row, error", BAD, ids=[error for _, error in BAD])
def test_a_row_that_is_no_sentence_gets_null_and_the_reason(folder, row, error):
    (found,) = tag_batches([batch([SENTENCES[0], row, SENTENCES[1]])], folder, probabilities=True)
    before, wrong, after = found.to_pylist()
    assert wrong["tags"] is wrong["probabilities"] is None and wrong["error"].startswith(error)
    assert wrong["tokens"] == row and before["error"] is after["error"] is None
    assert [before["tags"], after["tags"]] == list(rnntag.load(folder).tag(SENTENCES[:2]))


@pytest.mark.parametrize("values", [[1, 2], ["the dog", "a"], [[1], [2, 3]], [{"a": 1}, None]])
def test_a_column_of_another_type_gives_errors_and_no_tags(folder, values):
    (found,) = tag_batches([pa.RecordBatch.from_pydict({"tokens": values})], folder)
    assert found.column("tags").to_pylist() == [None, None] and None not in found.column("error").to_pylist()
    assert found.schema.field("tags").type == pa.list_(pa.string())


def test_bytes_that_are_not_utf_8_are_an_error_of_their_row(folder):
    ends = pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0")
    words = pa.StringArray.from_buffers(3, ends, pa.py_buffer(b"a\xffb"))
    column = pa.ListArray.from_arrays([0, 1, 2, 3], words)
    (found,) = tag_batches([pa.RecordBatch.from_pydict({"tokens": column})], folder)
    assert found.column("error").to_pylist() == [None, "a token that is not UTF-8", None]


def test_columns_of_the_names_of_the_new_ones_are_replaced(folder):
    (found,) = tag_batches([batch(SENTENCES, tags=[1] * 20, error=["old"] * 20)], folder)
    assert found.schema.names == ["id", "tokens", "tags", "error"]
    assert set(found.column("error").to_pylist()) == {None}


@pytest.fixture(scope="module")
def two_columns(tmp_path_factory):
    """A model of CoNLL-U that fills two columns."""
    path = tmp_path_factory.mktemp("two")
    rows = "".join(f"{i}\t{word}\t_\t{upos}\t{xpos}\t_\t_\t_\t_\t_\n" for i, (word, upos, xpos) in enumerate(
        [("the", "DET", "DT"), ("dog", "NOUN", "NN"), ("runs", "VERB", "VBZ")], 1))
    (path / "train.conllu").write_text(4 * (rows + "\n"), "utf-8")
    tagger = rnntag.train(path / "train.conllu", field=["upos", "xpos"], epochs=10, hidden=8, embedding=8)
    rnntag.save(tagger, path / "m")
    return path / "m"


def test_named_columns_have_their_names(two_columns):
    (found,) = tag_batches([batch([["the", "dog"], None])], two_columns, probabilities=True)
    assert found.schema.names[2:] == ["upos", "upos_probabilities", "xpos", "xpos_probabilities", "error"]
    (sentence,) = rnntag.load(two_columns).annotate([["the", "dog"]], best=1)
    for name, column in sentence.columns.items():
        assert found.column(name).to_pylist() == [column.values, None]
        assert found.column(f"{name}_probabilities")[0].as_py() == pytest.approx([best[0][1] for best in column.best])
    (found,) = tag_batches([batch([["the", "dog"]])], two_columns, fields=["xpos"])
    assert found.schema.names[2:] == ["xpos", "error"]


def test_what_is_wrong_with_the_call_is_said_at_once(folder, tmp_path):
    with pytest.raises(ModelError, match="no such folder"):
        tag_batches([], tmp_path / "gone")
    with pytest.raises(OptionError, match="'lemma'"):
        tag_batches([], folder, fields=["lemma"])
    with pytest.raises(CorpusError, match="no column 'words'; there are id, tokens"):
        list(tag_batches([batch(SENTENCES)], folder, column="words"))


def test_a_process_loads_a_model_once_and_a_new_one_under_its_name_again(folder, monkeypatch, tmp_path):
    loaded = []
    monkeypatch.setattr(arrow, "load", lambda path, kinds: loaded.append(path) or rnntag.load(path, kinds))
    arrow._loaded.cache_clear()
    again = pickle.loads(pickle.dumps(BatchTagger(folder)))
    assert again({"tokens": [["the"]]}) == BatchTagger(str(folder))({"tokens": [["the"]]})
    assert len(loaded) == 1 and len(pickle.dumps(again)) < 500  # the path travels, not the model
    path = tmp_path / "m"
    rnntag.save(rnntag.train([[("a", "X")]], epochs=1), path)
    first = BatchTagger(path)
    assert first({"tokens": [["a"]]})["tags"] == [["X"]]
    rnntag.save(rnntag.train([[("a", "Y")]], epochs=1), path, force=True)
    assert BatchTagger(path)({"tokens": [["a"]]})["tags"] == [["Y"]]
    assert pickle.dumps(BatchTagger(path)) != pickle.dumps(first)  # a cache of answers sees that it is another


def test_blas_has_one_thread_while_a_batch_is_tagged(folder, monkeypatch):
    from threadpoolctl import threadpool_info, threadpool_limits

    def threads():
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    tagger, seen = rnntag.load(folder), []
    answers = tagger.answers
    monkeypatch.setattr(tagger, "answers", lambda *given: seen.append(threads()) or answers(*given))
    with threadpool_limits(2, "blas"):
        BatchTagger(tagger)({"tokens": [["a"]]})
        assert seen == [{1}] and threads() == {2}


@pytest.mark.parametrize("module", ["pyarrow", "threadpoolctl"])
def test_a_missing_library_is_named_with_its_extra(module):
    program = (f"import sys; sys.modules['{module}'] = None\n"
               "try:\n import rnntag.adapters.arrow\nexcept ImportError as error: print(error)")
    result = subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, timeout=60)
    assert b"pip install 'rnntag[arrow]'" in result.stdout


# ------------------------------------------------------------------ Parquet


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parquet.write_table(pa.Table.from_batches([batch(SENTENCES)]), "text.parquet")
    return tmp_path


def test_parquet_in_parquet_out(folder, here):
    invoke(RNN, folder, "text.parquet", "-o", "one.parquet", "--probabilities")
    found = parquet.read_table("one.parquet")
    assert found.column_names == ["id", "tokens", "tags", "probabilities", "error"]
    assert found.column("tags").to_pylist() == list(rnntag.load(folder).tag(SENTENCES))
    invoke(RNN, folder, "text.parquet", "-o", "two.parquet", "--jobs", "2")
    assert parquet.read_table("two.parquet").equals(found.drop_columns("probabilities"))


def test_a_file_of_many_batches_is_whole(folder, here, monkeypatch):
    monkeypatch.setattr("rnntag.cli.parquet.ROWS", 3)
    invoke(RNN, folder, "text.parquet", "-o", "one.parquet")
    assert parquet.read_table("one.parquet").column("id").to_pylist() == list(range(20))


def test_parquet_among_other_files(folder, here):
    (here / "a.tokens").write_bytes(b"the dog\n")
    out, _ = invoke(RNN, folder, "a.tokens", "text.parquet", "--output-dir", "out")
    assert sorted(path.name for path in (here / "out").iterdir()) == ["_rnntag.json", "a.tags", "text.parquet"]
    assert out.splitlines()[-1].split()[4:6] == ["21", "67"]


def test_a_file_gets_all_columns_of_the_model_or_those_asked_for(two_columns, here):
    for options, names in (((), ["upos", "xpos"]), (("--field", "xpos"), ["xpos"])):
        invoke(RNN, two_columns, "text.parquet", "-o", "one.parquet", "--force", *options)
        assert parquet.read_table("one.parquet").column_names == ["id", "tokens", *names, "error"]


def test_a_bad_row_of_a_file_is_an_error_or_is_counted(folder, here):
    parquet.write_table(pa.Table.from_batches([batch([*SENTENCES, None])]), "bad.parquet")
    assert failure(RNN, folder, "bad.parquet", "-o", "one.parquet") == (
        "bad.parquet:row 21: null; a list of tokens is wanted.")
    assert not (here / "one.parquet").exists()
    _, err = invoke(RNN, folder, "bad.parquet", "-o", "one.parquet", "--on-error", "skip")
    assert "1 sentence skipped" in err and parquet.read_table("one.parquet").num_rows == 21


def test_parquet_that_cannot_be_read(folder, here):
    whole = (here / "text.parquet").read_bytes()
    (here / "cut.parquet").write_bytes(whole[:-50])
    (here / "text.txt.parquet").write_bytes(b"the dog\n")
    (here / "hole.parquet").write_bytes(whole[:200] + b"\xff" * 60 + whole[260:])
    for name in ("cut.parquet", "text.txt.parquet", "hole.parquet"):
        assert f"{name}: it cannot be read as Parquet" in failure(RNN, folder, name, "-o", "one.parquet")
    parquet.write_table(pa.table({"words": [["a"]]}), "words.parquet")
    assert failure(RNN, folder, "words.parquet", "-o", "one.parquet") == (
        "words.parquet: no column 'tokens'; there are words.")
    assert not (here / "one.parquet").exists()


@pytest.mark.parametrize("arguments, message", [
    ([], "--output: standard output; Parquet is no text"),
    (["-o", "x", "--format", "tokens"], "--format: given with Parquet"),
    (["-o", "x", "--n-best", "2"], "--n-best: given with Parquet"),
    (["-o", "x", "--field", "xpos"], ": given with Parquet"),
    (["-o", "x", "--partial"], "--partial: given with Parquet"),
    (["-o", "x", "--output-format", "jsonl"], "--output-format: given with Parquet"),
    (["--output-dir", "out", "--n-best", "2"], "--n-best: given with Parquet")])
def test_options_that_parquet_has_no_place_for(folder, here, arguments, message):
    assert message in invoke(RNN, folder, "text.parquet", *arguments, status=2)[1]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it reads /proc")
def test_the_script_of_the_figures_finds_the_same_tags(monkeypatch):
    spec = importlib.util.spec_from_file_location("cluster", ROOT / "scripts" / "cluster.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setattr(script, "ENGINES", {})  # test_clusters.py tries what they do
    out, err = invoke(script.main, "--tokens", "2000")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in out.splitlines()[4:]]
    assert [row[0] for row in rows] == [f"test-rnn, {source}, {jobs}" for source in ("text", "parquet")
                                        for jobs in ("1 process", "2 processes")]
    assert {row[-1] for row in rows} == {"the same"} and err == ""
    assert all(float(row[2]) > 0 and float(row[4]) > 0 and float(row[6].replace(",", "")) > 10 for row in rows)


def test_parquet_without_pyarrow(folder, here, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "text.parquet is Parquet, which needs pyarrow. Install it with pip install 'rnntag[arrow]'." in invoke(
        RNN, folder, "text.parquet", "-o", "x", status=2)[1]
