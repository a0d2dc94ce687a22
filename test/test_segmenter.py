"""The segmenter: learning, labels, reading text in a stream, the model folder."""

import copy
import json
import pickle
import random
from dataclasses import replace

import numpy as np
import pytest
from samples import seal
from test_places import paragraph

from rnntag.corpus import rawtext
from rnntag.corpus.columns import Conllu
from rnntag.corpus.lines import Lines
from rnntag.corpus.segmented import surface
from rnntag.errors import ModelError, OptionError
from rnntag.models import reading
from rnntag.models.segmenter import CONTEXT, WINDOW, Segmenter, SegmenterOptions
from rnntag.nn.layers import softmax
from rnntag.storage import modelfile
from rnntag.training.segmenting import SegmentingTask, labels_of, segmentation, train_segmenter

SMALL = {"embedding": 8, "hidden": 8, "epochs": 12, "sequence": 20, "min_grams": 1, "learning_rate": 0.01}
NAMES = "Ann Bob Cid Dan Eve Flo Gus Hal".split()
VERBS = "sleeps reads swims sings".split()


def corpus(count=40, seed=1):
    """Paragraphs of short sentences, with ``Mr.`` and numbers in them."""
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        sentences = []
        for _ in range(rng.randrange(1, 5)):
            title = rng.choice(("", "", "Mr. "))
            middle = rng.choice(("", "~ , who is 5~ .~ 5~ ,"))
            sentences.append(f"{title}{rng.choice(NAMES)}{middle} {rng.choice(VERBS)}~ {rng.choice('.!')}")
        found.append(paragraph(*sentences))
    return found


@pytest.fixture(scope="module")
def segmenter():
    return train_segmenter(corpus(), SegmenterOptions(**SMALL))


def found(segmenter, text, **how):
    return [sentence.tokens for sentence in segmenter.read(text, **how)]


def test_it_learns_where_tokens_and_sentences_end(segmenter):
    tokens, sentences = segmentation(segmenter, corpus(seed=2))
    assert tokens.f1 == 1 and sentences.f1 > 0.98
    assert found(segmenter, "Mr. Dan, who is 7.5, reads! Eve sings.") == [
        ["Mr.", "Dan", ",", "who", "is", "7", ".", "5", ",", "reads", "!"], ["Eve", "sings", "."]]


@pytest.mark.parametrize("members", [1, 2])
def test_gradients_are_those_of_differences(members):
    from gradcheck import check
    train = corpus(2)
    plain = {"dropout": 0.0, "word_dropout": 0.0, "gram_dropout": 0.0}
    options = SegmenterOptions(**{**SMALL, **plain, "embedding": 3, "hidden": 2, "members": members})
    segmenter = Segmenter.create(train, options, np.random.default_rng(1))
    task = SegmentingTask(segmenter, train)
    for name, array in task.params.items():
        task.params[name] = array.astype(np.float64)
    items = sorted(range(len(task.sizes)), key=lambda i: -task.sizes[i])[:2]
    rng = np.random.default_rng(1)
    _, parts = task.loss_and_gradient(items, rng)
    assert len(parts) == members
    grads = {name: grad for part in parts for name, grad in part.items()}
    dense = {name: grad.dense(task.params[name]) if hasattr(grad, "dense") else grad for name, grad in grads.items()}
    check(lambda: members * task.loss_and_gradient(items, rng)[0], task.params, dense)


def test_labels_say_what_is_at_the_end_of_each_piece():
    text = paragraph("a~ .", "b 5~ :~ 5")
    assert labels_of(text, np.array([1, 2, 4, 6, 7, 8])).tolist() == [1, 2, 1, 1, 1, 2]
    assert labels_of(text, np.array([1, 2, 4, 5, 6, 7, 8])).tolist() == [1, 2, 1, 0, 1, 1, 2]


def test_a_long_paragraph_is_labelled_in_windows_that_see_their_neighbours(segmenter):
    text = " ".join("Mr. Dan reads!" if i % 3 else "Eve sings." for i in range(300))
    cut, labels = segmenter.labels(text, [len(text)])
    assert len(labels) > 3 * (WINDOW + 2 * CONTEXT)
    rows = segmenter.pieces().rows(cut.pieces, cut.text)
    from rnntag.nn.packing import pack
    h, _ = segmenter.network.forward(segmenter.params, _table(segmenter, cut), rows, pack((len(rows),)))
    scores, _ = segmenter.network.outputs[0].forward(segmenter.params, h)
    assert (scores.argmax(axis=1)[:-1] == labels[:-1]).all()


def _table(segmenter, cut):
    known = segmenter.pieces()
    known.rows(cut.pieces, cut.text)
    return known.table


# ------------------------------------------------------------------ reading


ODD = ["a", "B", "Mr.", "Dan", " ", " ", " ", "\n", "\r\n", "\n\n", "\r", "\t", "\u2028", "\u2029", "\x00", "\x1c",
       "\x85", "\ufeff", "\u0301", "\U0001f600", "\u200d", "\u3000", "\u00a0", "_", "#", "|", "\\", "\\s", "=", "1",
       "5.5", "\u304b", "\u05e9", "\u0600", "\x0b", ".", "!", ",", "sings", "\ue000", "\uffff", "\U0010ffff"]


def put_together(sentences):
    """The text, from CoNLL-U alone."""
    writer, parts = Conllu(), []
    for sentence in sentences:
        sentence.prepare("conllu", offsets=True)
        (read_back,) = Conllu(want="words").read(_Lines(writer.write(sentence)))
        parts.append(surface(read_back.source).before)
        for pair in zip(*surface(read_back.source)[:2]):
            parts += pair
        assert read_back.words == sentence.words
    return "".join(parts)


def _Lines(text):
    import io
    return Lines(io.BytesIO(text.encode()), "x")


@pytest.mark.parametrize("how", [{}, {"lines": True}, {"presegmented": True}])
def test_no_character_is_lost_whatever_the_text_and_its_blocks(segmenter, how, monkeypatch):
    rng = random.Random(1)
    for number in range(120):
        monkeypatch.setattr(reading, "CHUNK", rng.choice((10, 50, 1000)))
        monkeypatch.setattr(reading, "MARGIN", rng.choice((3, 10, 20)))
        monkeypatch.setattr(reading, "MAX_TOKENS", rng.choice((3, 1000)))
        monkeypatch.setattr(rawtext, "MAX_PART", rng.choice((30, 60, 500)))
        text = "a" * rng.choice((0, 0, 200)) + "".join(rng.choices(ODD, k=rng.randrange(1, 150)))
        sizes = [rng.randrange(1, 40) for _ in text]
        blocks = [text[sum(sizes[:i]):sum(sizes[:i + 1])] for i in range(len(sizes))]
        sentences = list(segmenter.read(filter(None, blocks), **how))
        if not sentences:
            assert not text.strip().strip("\ufeff").strip()
            continue
        assert "".join(part for s in sentences for part in (s.before, *(
            part for pair in zip(s.tokens, s.spaces) for part in pair))) == text
        assert all(text[a:b] == token for s in sentences for token, (a, b) in zip(s.tokens, s.offsets))
        assert [s.line for s in sentences] == [
            len(rawtext.re.findall("\n", text[:s.offsets[0][0]])) + 1 for s in sentences]
        assert [s.number for s in sentences] == list(range(1, len(sentences) + 1))
        assert put_together(sentences) == text


def test_a_paragraph_longer_than_a_part_is_read_as_if_it_were_short(segmenter, monkeypatch):
    text = " ".join(f"Mr. {name} reads! Eve sings." for name in NAMES * 8)
    whole = found(segmenter, text)
    monkeypatch.setattr(rawtext, "MAX_PART", 600)
    monkeypatch.setattr(reading, "MARGIN", 100)
    assert found(segmenter, text) == whole


def test_a_text_without_a_sentence_end_is_cut_and_keeps_its_tokens(segmenter, monkeypatch):
    monkeypatch.setattr(rawtext, "MAX_PART", 300)
    monkeypatch.setattr(reading, "MARGIN", 50)
    sentences = found(segmenter, "Ann reads " * 200)
    assert sum(sentences, []) == ["Ann", "reads"] * 200
    assert 2 < len(sentences) and max(map(len, sentences)) <= 70
    assert [len(token) for (token,) in found(segmenter, "a" * 1000)] == [250, 250, 250, 250]


def test_lines_are_sentences_and_presegmented_lines_have_their_tokens(segmenter):
    text = "Ann reads. Bob\nsings!\n\n\nMr. Dan"
    assert found(segmenter, text, lines=True) == [["Ann", "reads", ".", "Bob"], ["sings", "!"], ["Mr.", "Dan"]]
    assert found(segmenter, text, presegmented=True) == [["Ann", "reads.", "Bob"], ["sings!"], ["Mr.", "Dan"]]


def test_paragraphs_and_the_text_are_opened_once(segmenter):
    sentences = list(segmenter.read("\n\nAnn reads. Bob sings.\n\n\nEve reads."))
    assert [sentence.opens for sentence in sentences] == [("# newdoc", "# newpar"), (), ("# newpar",)]
    assert sentences[0].before == "\n\n" and sentences[1].spaces[-1] == "\n\n\n"


def test_an_eager_reader_does_not_wait_for_what_follows(segmenter):
    blocks = iter(["Ann reads.\n\n", "\n", "Bob sings.\n\n"])
    reader = segmenter.read(blocks, eager=True)
    assert next(reader).tokens == ["Ann", "reads", "."]
    assert list(blocks)[0] == "\n"  # nothing more had been read


def test_texts_read_together_are_read_as_alone(segmenter, monkeypatch):
    monkeypatch.setattr(reading, "MAX_PART", 64)
    monkeypatch.setattr(rawtext, "MAX_PART", 64)
    monkeypatch.setattr(reading, "CHUNK", 128)
    monkeypatch.setattr(reading, "MARGIN", 8)
    some = "The cat ran. It did\n\n \nnot."
    texts = ["", some, " \n", some * 5, "", " " + some + " ", "x" * 64, some, some]
    assert list(segmenter.read_each(iter(texts))) == [list(segmenter.read(text)) for text in texts]
    assert list(segmenter.read_each(["", ""])) == [[], []]
    assert list(segmenter.read_each([])) == []


def test_paragraphs_do_not_depend_on_their_neighbours(segmenter):
    texts = ["Ann reads. Bob sings.", "Mr. Dan", "Eve", "Hal swims! Flo sings."]
    assert found(segmenter, "\n\n".join(texts)) == [tokens for text in texts for tokens in found(segmenter, text)]


# ------------------------------------------------------------------ the model


def test_a_saved_segmenter_reads_as_before(segmenter, tmp_path):
    modelfile.save(tmp_path / "m", segmenter)
    again = modelfile.load(tmp_path / "m", "segmenter")
    text = "Mr. Dan, who is 7.5, reads! Eve sings. \u6f22"
    assert found(again, text) == found(segmenter, text)
    assert json.loads((tmp_path / "m" / "model.json").read_bytes())["format_version"] == 2
    for same in (pickle.loads(pickle.dumps(segmenter)), copy.deepcopy(segmenter)):
        assert found(same, text) == found(segmenter, text)


def test_members_answer_with_their_mean_probabilities(tmp_path):
    both = train_segmenter(corpus(5), SegmenterOptions(**{**SMALL, "epochs": 2, "members": 2}))
    modelfile.save(tmp_path / "m", both)
    both = modelfile.load(tmp_path / "m", "segmenter")
    cut = both.places.cut("Mr. Dan, who is 7.5, reads! Eve sings.")
    one, parts = replace(both.options, members=1), (both.places, both.features, both.grams, both.splitter)
    alone = [Segmenter(one, *parts, params) for _, params in both.network.networks(both.params)]
    first, second, mean = (softmax(each._scores(each._embeddings(cut), cut.text)) for each in (*alone, both))
    assert abs(first - second).max() > 1e-3
    np.testing.assert_allclose(mean, (first + second) / 2, atol=1e-6)


def test_the_same_seed_gives_the_same_weights():
    first, second = (train_segmenter(corpus(5), SegmenterOptions(**{**SMALL, "epochs": 2})) for _ in range(2))
    assert all((first.params[name] == second.params[name]).all() for name in first.params)


@pytest.mark.parametrize("change", [
    lambda ids: ids.pop("open"), lambda ids: ids.update(more=[""]), lambda ids: ids.update(open={"a": [""]}),
    lambda ids: ids.update(solid=["", "ab"]), lambda ids: ids.update(pairs=["", "a"]),
    lambda ids: ids.update(pairs=["", *(chr(300 + i // 100) + chr(300 + i % 100) for i in range(5000))]),
    lambda ids: ids.update(several=["", "a\tb", "a\tc"]), lambda ids: ids.update(endings=["", "a\tb"]),
    lambda ids: ids["features"].pop("form"), lambda ids: ids["features"].update(x=[""]),
    lambda ids: ids.update(features=[""]), lambda ids: ids.update({"symbols 2": ["", "a\tb\tnever"]})])
def test_id_maps_that_do_not_fit_are_refused(change, segmenter):
    options, ids, _ = copy.deepcopy(segmenter.state())
    change(ids)
    with pytest.raises(OptionError):
        Segmenter.shapes(options, ids)


@pytest.mark.parametrize("change", [{"hidden": 0}, {"cell": "x"}, {"width": 3}, {"hidden": 9}])
def test_options_that_do_not_fit_are_refused(change, segmenter, tmp_path):
    modelfile.save(tmp_path / "m", segmenter)
    seal(tmp_path / "m", options={**segmenter.state()[0], **change})
    with pytest.raises(ModelError):
        modelfile.load(tmp_path / "m")


def test_weights_too_large_are_refused_when_it_reads(segmenter):
    huge = segmenter.params["output.W_o"] * np.float32(1e37)
    wild = segmenter.with_params({**segmenter.params, "output.W_o": huge})
    with pytest.raises(ModelError, match="overflow"):
        found(wild, "Ann reads.")
