"""A corpus corrected in place: every other byte stays, in all formats, and nobody's work is overwritten."""

import json
import os
import random

import pytest

from rnntag.corpus import Layout, read
from rnntag.corpus.document import ChangedError, Document
from rnntag.corpus.session import Session
from rnntag.errors import CorpusError, RnntagError

CONLLU = ("# sent_id = 1\n1\tDogs\tdog\tNOUN\tNNS\tNumber=Plur\t2\tnsubj\t_\tSpaceAfter=No\n"
          "2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_\n2\tdo\tdo\tAUX\t_\t_\t0\troot\t_\t_\n"
          "3\tn't\tnot\tPART\t_\t_\t2\tx\t_\t_\n3.1\tgo\tgo\tVERB\t_\t_\t_\t_\t0:x\t_\n"
          "\n\n# text = Hi\n1\tHi\t_\t_\t_\t_\t_\t_\t_\t_\n")
FILES = {
    "a.wordtag": "I_PRP read_VBP\n\nthe_x_DT end_NN \u00e9t\u00e9_NN\n".encode(),
    "b.wordtag": b"\xef\xbb\xbfI_PRP read_VBP\r\nthe_DT end_NN\r\n",
    "c.wordtag": b"bare words here_RB\nI_PRP",
    "d.vertical": b"I\tPRP\tx\nread\tVBP\n\nwe\tPRP\t0.900000\n",
    "e.vertical": b"I\tPRP\t0.900000\tNN\t0.100000\nread\tVBP\t1.000000\n\n",
    "f.conllu": CONLLU.encode(),
    "g.conllu": CONLLU.replace("\n", "\r\n").encode(),
    "h.jsonl": b'{"id":7, "tokens":["a","b\\u00e9"],"tags" : [ "X" ,null],  "p": 1.50}\n\n'
               b'{"tags": ["Y"], "tokens": ["c"]}\n',
    "i.jsonl": b'{"tokens": ["a", "b"], "upos": ["X", "Y"], "lemma": ["\\u0061", "b"], "tags_": []}',
}


@pytest.fixture(params=FILES)
def path(request, tmp_path):
    (tmp_path / request.param).write_bytes(FILES[request.param])
    return tmp_path / request.param


@pytest.mark.filterwarnings("ignore::rnntag.errors.CorpusWarning")
def test_a_change_changes_its_bytes_and_no_others(path):
    before = path.read_bytes()
    document = Document(path)
    for number, sentence in enumerate(document.sentences):
        for field in document.fields:
            for i in range(len(sentence)):
                row = document.values(number, field)
                old, row[i] = row[i], "Q9"
                (change,) = document.change(number, {field: row})
                assert (change.old, change.new, change.token) == (old, "Q9", i)
                after = path.read_bytes()
                end = len(os.path.commonprefix([before[::-1], after[::-1]]))
                start = len(os.path.commonprefix([before, after]))
                assert b"Q9" in after[max(0, start - 2):len(after) - end + 2] and len(after) - end - start <= 6
                assert [s.words for s in Document(path).sentences] == [s.words for s in document.sentences]
                assert Document(path).values(number, field)[i] == "Q9"
                assert document.undo() and path.read_bytes() == before
    assert document.undo() == []


@pytest.mark.filterwarnings("ignore::rnntag.errors.CorpusWarning")
def test_what_is_not_changed_is_not_written(path):
    before = os.stat(path).st_mtime_ns, path.read_bytes()
    document = Document(path)
    for number in range(len(document.sentences)):
        assert document.change(number, {field: document.values(number, field) for field in document.fields}) == []
    assert (os.stat(path).st_mtime_ns, path.read_bytes()) == before


@pytest.mark.parametrize("name, fields", [("a.wordtag", ("",)), ("d.vertical", ("",)), ("h.jsonl", ("",)),
                                          ("f.conllu", ("upos", "xpos", "feats", "lemma")),
                                          ("i.jsonl", ("upos", "lemma"))])
def test_the_columns_are_those_that_have_values(tmp_path, name, fields):
    (tmp_path / name).write_bytes(FILES[name])
    assert Document(tmp_path / name).fields == fields


def test_one_field_of_conllu_can_be_asked_for(tmp_path):
    (tmp_path / "f.conllu").write_bytes(FILES["f.conllu"])
    document = Document(tmp_path / "f.conllu", Layout(field="xpos"))
    assert document.fields == ("xpos",) and document.values(0, "xpos") == ["NNS", "", ""]


@pytest.mark.parametrize("name, value", [
    ("a.wordtag", "N N"), ("a.wordtag", "N_N"), ("a.wordtag", "N\n"), ("a.wordtag", "\ud800"), ("a.wordtag", "N\r"),
    ("d.vertical", "a\tb"), ("d.vertical", ""), ("f.conllu", "_"), ("f.conllu", "a\tb"), ("h.jsonl", "")])
def test_a_value_that_does_not_fit_changes_nothing(tmp_path, name, value):
    path = tmp_path / name
    path.write_bytes(FILES[name])
    document = Document(path)
    row = document.values(0, document.fields[0])
    with pytest.raises(CorpusError):
        document.change(0, {document.fields[0]: [value, *row[1:]]})
    assert path.read_bytes() == FILES[name] and document.values(0, document.fields[0]) == row


@pytest.mark.parametrize("values", [{"": ["X"]}, {"upos": ["X", "Y"]}, {"": ["X", "Y", "Z"]}])
def test_values_that_are_not_one_for_each_word_are_refused(tmp_path, values):
    (tmp_path / "a.wordtag").write_bytes(FILES["a.wordtag"])
    with pytest.raises(CorpusError, match="the sentence has 2 tokens"):
        Document(tmp_path / "a.wordtag").change(0, values)


def test_a_file_that_somebody_else_has_changed_is_left_alone(tmp_path):
    path = tmp_path / "a.wordtag"
    path.write_bytes(b"I_PRP read_VBP\n")
    document = Document(path)
    document.change(0, {"": ["X", "VBP"]})
    os.utime(path)  # touched, but the same
    document.change(0, {"": ["Y", "VBP"]})
    path.write_bytes(b"I_PRP wrote_VBD\n")
    for again in range(2):
        with pytest.raises(ChangedError, match="changed since it was read"):
            document.change(0, {"": ["Z", "VBP"]})
        with pytest.raises(ChangedError):
            document.undo()
    assert path.read_bytes() == b"I_PRP wrote_VBD\n" and document.values(0, "") == ["Y", "VBP"]
    document.read()
    document.change(0, {"": ["Z", "VBD"]})
    assert path.read_bytes() == b"I_Z wrote_VBD\n"
    path.unlink()
    with pytest.raises(ChangedError):
        document.change(0, {"": ["A", "VBD"]})


def test_a_link_stays_one_and_permissions_stay(tmp_path):
    (tmp_path / "a.wordtag").write_bytes(b"I_PRP\n")
    os.chmod(tmp_path / "a.wordtag", 0o640)
    os.symlink(tmp_path / "a.wordtag", tmp_path / "link.wordtag")
    Document(tmp_path / "link.wordtag").change(0, {"": ["X"]})
    assert (tmp_path / "link.wordtag").is_symlink() and (tmp_path / "a.wordtag").read_bytes() == b"I_X\n"
    assert os.stat(tmp_path / "a.wordtag").st_mode & 0o777 == 0o640


@pytest.mark.parametrize("name, data, message", [
    ("a.tokens", b"I read\n", "no place for tags|looks like tokens"), ("a.wordtag.gz", b"", "a compressed file"),
    ("a.wordtag", b"\n\n", "no sentences")])
def test_what_cannot_be_corrected_is_refused(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(RnntagError, match=message):
        Document(tmp_path / name)


def test_many_changes_at_random_give_the_file_that_they_say(tmp_path):
    rng = random.Random(4)
    rows = [[[f"w{rng.randint(0, 9)}", rng.choice("ABC")] for _ in range(rng.randint(1, 6))] for _ in range(30)]
    path = tmp_path / "a.wordtag"

    def text():
        return "".join(" ".join("_".join(pair) for pair in row) + "\n" for row in rows).encode()

    path.write_bytes(text())
    document = Document(path)
    for _ in range(60):
        number = rng.randrange(30)
        for pair in rows[number]:
            pair[1] = rng.choice("ABC")
        document.change(number, {"": [tag for _, tag in rows[number]]})
        assert path.read_bytes() == text()
    assert [s.tags for s in read(path)] == [[tag for _, tag in row] for row in rows]


# ------------------------------------------------------------------ the session


def record(key, **more):
    return {"sentence": key, "tokens": 3, "judged": 3, "agreed": 2, "changed": [[0, "", "X", "Y"]], **more}


def test_a_session_is_found_again_and_a_torn_line_is_not_in_the_way(tmp_path):
    path = tmp_path / "s.jsonl"
    session = Session(path)
    for key in "abc":
        session.add(record(key))
    session.add({"sentence": "b", "undone": True})
    with open(path, "ab") as stream:
        stream.write(b'{"sentence": "d", "tok')  # the power failed
    again = Session(path)
    assert list(again.accepted) == ["a", "c"] and again.accepted["a"]["agreed"] == 2
    again.add(record("e"))
    assert list(Session(path).accepted) == ["a", "c", "e"]
    assert [json.loads(line)["sentence"] for line in path.read_bytes().splitlines()] == list("abcbe")


@pytest.mark.parametrize("line", [b"nonsense", b"[]", b"{}", b'{"sentence": 1}', b'{"sentence": "a"}', b"[" * 99_999])
def test_another_file_is_not_taken_for_a_session(tmp_path, line):
    (tmp_path / "s").write_bytes(line + b"\n")
    with pytest.raises(RnntagError, match="s:1: not a line of a session"):
        Session(tmp_path / "s")
