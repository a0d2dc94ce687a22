"""Mutation fuzzing of corpora and model folders: a clean error or success, never anything else.

``corpora(count, seed, folder)`` and ``models(...)`` return how often each outcome came, the outcomes
being "read" or "loaded", and messages without their particulars. Any exception that is no
RnntagError, and any warning that is not about a corpus, comes through with what caused it.
scripts/fuzz.py runs the large numbers, test_fuzz.py small ones.
"""

import contextlib
import io
import random
import re
import tempfile
import time
import warnings
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
from mutating import MUTATIONS, mutate_bytes
from samples import ODD

from rnntag import corpus
from rnntag.corpus import FORMATS, Column, Sentence, Skipped
from rnntag.corpus.pairs import Pair, Question
from rnntag.corpus.rawtext import characters
from rnntag.corpus.segmented import Surface, joined
from rnntag.errors import CorpusWarning, RnntagError
from rnntag.models.classifier import Classifier, ClassifierOptions
from rnntag.models.hmm import HMMTagger
from rnntag.models.language_model import LanguageModel, LanguageOptions
from rnntag.models.lemmatizer import pairs
from rnntag.models.options import Options
from rnntag.models.segmenter import Segmenter, SegmenterOptions
from rnntag.models.tagger import RNNTagger
from rnntag.models.transducer import Transducer, TransducerOptions
from rnntag.storage import modelfile
from rnntag.training.segmenting import train_segmenter
from rnntag.training.tagging import train_tagger

PAIRS = [Pair(list("dogs"), list("dog"), ("NOUN", "Number=Plur")), Pair(list("a\u3000b"), [], ("X",)),
         Pair([], list("b"), ("X", "Y"))]
SLOWEST = 5.0  # seconds that one case may take
TINY = {"embedding": 3, "hidden": 2, "epochs": 1, "filters": 2, "char_embedding": 2, "window": 3}
OPTIONS = {"rnn": {"dense": ("3:relu",)}, "crf": {"output": "crf", "char_rnn": 2},
           "cnn": {"encoder": "cnn", "features": "form,suffixes"}, "one-hot": {"embedding": 0, "features": "form"},
           "ensemble": {"members": 2}, "cascade": {"members": 2, "encoder": "cnn", "sure": 0.5}}
RAW = [joined([  # a paragraph
    Surface(["Don't", "du", "1 000", "."], [" ", "\u3000", "", " "], "", {0: ("Do", "n't"), 1: ("de", "le")}),
    Surface(["\u81ea\u7136", "\u8a00\u8a9e"], ["", ""], "", {})])] * 3
PARTICULARS = [  # what varies from one case to the next
    (r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", "*"), (r"^--[\w-]+ is .*;", "--OPTION is *;"),
    (r"^(emissions|transitions|[a-z]+\d?[./][\w./]+) ", "ARRAY "), (r"\([\d, ]*\)", "SHAPE"),
    (r"[<>|]\w+ SHAPE", "DTYPE SHAPE"),
    (r"0x[0-9a-f]+|[-\d.,:]*\d[\d,.:e+]*", "N"), (r"(damaged archive|not JSON) \(.*\)", r"\1 (...)"),
    (r"(as JSON: [^:(]*).*;", r"\1;")]


def outcome(error):
    """The class of a message: where it happened, and what was found and wanted without particulars."""
    text = f"{error.found}; {error.wanted}"
    for pattern, name in PARTICULARS:
        text = re.sub(pattern, name, text)
    return text[:90].strip("; ")


def kept(files):
    """Write {name: bytes} where they can be looked at."""
    folder = Path(tempfile.mkdtemp(prefix="rnntag-fuzz-"))
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return f"what caused it is in {folder}"


@contextlib.contextmanager
def watched(files, slowest):
    """No warnings but about corpora, and no waiting; what is wrong says where its ``files`` are kept."""
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", CorpusWarning)
        try:
            yield
        except RnntagError:
            raise
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error} came through; {kept(files)}") from error
    seconds = time.perf_counter() - began
    assert seconds < SLOWEST, f"{seconds:.1f} s; {kept(files)}"
    slowest[0] = max(slowest[0], seconds)


# ------------------------------------------------------------------ corpora


def corpora(count, seed, folder):
    """Read ``count`` mutated corpora, train on them, tag them, write them; Counter of outcomes."""
    rng, found, slowest = random.Random(seed), Counter(), [0.0]
    texts = {}
    for name, kind in FORMATS.items():
        texts[name] = "".join(map(kind().write, 2 * ODD)).encode()
    for number in range(count):
        name = rng.choice(list(texts))
        data = mutate_bytes(rng, texts[name])
        path = folder / rng.choice(("corpus", f"corpus.{name}"))
        path.write_bytes(data)
        with watched({path.name: data}, slowest):
            try:
                found[f"{name}: {_use_corpus(rng, path, name, number % 200 == 0)}"] += 1
            except RnntagError as error:
                assert "\n" not in str(error) or "skipped" in str(error), str(error)
                found[outcome(error)] += 1
        path.unlink()
    found["slowest, ms"] = round(1000 * slowest[0])
    return found


def _use_corpus(rng, path, name, rnn):
    """Read one corpus in one of the ways there are, and go on with what was read."""
    skipped = Skipped() if rng.random() < 0.3 else None
    if name in corpus.TAGGED and rng.random() < 0.5:
        sentences = corpus.read_tagged(path, name, skipped=skipped)
        tagger = (train_tagger(sentences, Options(**TINY)) if rnn else HMMTagger.train(sentences))
        answers = list(tagger.tag([s.words for s in sentences] + [[], ["new"]]))
        assert list(map(len, answers)) == [*map(len, sentences), 0, 1]
        return "read and learnt from"
    kind = rng.choice((name, None))
    sentences = list(corpus.read(path, kind, skipped=skipped))
    if kind is None or skipped is not None:
        return "read"
    writer = FORMATS[name]()
    path.write_bytes("".join(map(writer.write, sentences)).encode())
    again = list(corpus.read(path, name))
    assert [(s.words, s.tags or None) for s in again] == [(s.words, s.tags or None) for s in sentences], "not so"
    return "read, written and read back the same"


# ------------------------------------------------------------------ raw text


def texts(count, seed, folder):
    """Find the sentences of ``count`` mutated texts, and put each together again; Counter of outcomes."""
    rng, found, slowest = random.Random(seed), Counter(), [0.0]
    segmenter = train_segmenter(RAW, SegmenterOptions(embedding=4, hidden=4, epochs=2))
    whole = " ".join(paragraph.text for paragraph in RAW).encode() * 3
    for _ in range(count):
        data = mutate_bytes(rng, whole)
        how = rng.choice(({}, {"lines": True}, {"presegmented": True}))
        with watched({"text": data}, slowest):
            try:
                sentences = list(segmenter.read(characters(io.BytesIO(data), "text"), **how))
                again = "".join(_parts(sentences))
                known = data.decode()
                assert again == known or not sentences and not known.strip("\ufeff").strip()
                for sentence in sentences:
                    sentence.prepare("conllu", offsets=True)
                    FORMATS["conllu"]().write(sentence)
                found["text: read and put together"] += 1
            except RnntagError as error:
                found[outcome(error)] += 1
    found["slowest, ms"] = round(1000 * slowest[0])
    return found


# ------------------------------------------------------------------ model folders

# sentences with several columns; the last lacks a lemma
SEVERAL = [Sentence(s.words, {"upos": Column(s.tags), "feats": Column([f"A={tag}|B=1" for tag in s.tags]),
                              "lemma": Column([*(word[:-1].lower() or "x" for word in s.words[:-1]), ""])})
           for s in ODD]


def some_models(folder):
    """Small models of every kind, as {name: {file: bytes}}."""
    taggers = {"hmm": HMMTagger.train(ODD)}
    for name, options in OPTIONS.items():
        taggers[name] = RNNTagger.create(ODD, Options(**{**TINY, **options}), np.random.default_rng(1))
    for output in ("softmax", "crf"):
        options = Options(**TINY, features="form,ngrams", output=output)
        taggers[f"columns {output}"] = RNNTagger.create(SEVERAL, options, np.random.default_rng(1))
    whole = RNNTagger.create(SEVERAL[:1], Options(**TINY, lemmatizer="seq2seq"), np.random.default_rng(1))
    whole.parts["lemmatizer"] = Transducer.create(pairs(SEVERAL, whole.fields), TransducerOptions(
        embedding=3, hidden=2, min_count=1), np.random.default_rng(1))
    taggers["parts"] = whole
    taggers["transducer"] = Transducer.create(PAIRS, TransducerOptions(embedding=3, hidden=2, min_count=1),
                                              np.random.default_rng(1))
    taggers["lm"] = LanguageModel.create([s.words for s in ODD], LanguageOptions(embedding=3, hidden=2),
                                         np.random.default_rng(1))
    for pooling in ("last", "attention"):
        taggers[pooling] = Classifier.create([s.words for s in ODD], "aab", ClassifierOptions(
            **TINY, pooling=pooling), np.random.default_rng(1))
    taggers["segmenter"] = Segmenter.create(RAW, SegmenterOptions(embedding=3, hidden=2), np.random.default_rng(1))
    found = {}
    for name, tagger in taggers.items():
        tagger.info = {"note": "fuzz"}
        modelfile.save(folder / name, tagger, log=[{"epoch": 1}])
        found[name] = {path.name: path.read_bytes() for path in (folder / name).iterdir()}
    return found


def models(count, seed, folder):
    """Load ``count`` mutated model folders and tag three sentences with each; Counter of outcomes."""
    rng, found, slowest = random.Random(seed), Counter(), [0.0]
    wholes = some_models(folder)
    place = folder / "mutated"
    place.mkdir()
    for _ in range(count):
        files = dict(wholes[rng.choice(list(wholes))])
        for _ in range(rng.choice((1, 1, 2))):
            MUTATIONS[rng.randrange(len(MUTATIONS))](rng, files, wholes)
        for name, data in files.items():
            (place / name).write_bytes(data)
        with watched(files, slowest):
            try:
                model = modelfile.load(place)
                USES[model.kind](model)
                found[f"{model.kind}: loaded and used"] += 1
            except RnntagError as error:
                assert len(str(error)) < 2000 and "\n" not in str(error), str(error)
                assert str(error).startswith(str(place)), str(error)
                found[outcome(error)] += 1
        for name in files:
            (place / name).unlink()
    found["slowest, ms"] = round(1000 * slowest[0])
    return found


def _transduce(model):
    answers = list(model.transduce([Question(pair.source, pair.tags) for pair in PAIRS], beam=2))
    assert all(1 <= len(best) <= 2 for best in answers) and len(answers) == len(PAIRS)
    model.alignments(PAIRS)


def _tag(tagger):
    answers = list(tagger.tag([s.words for s in ODD]))
    assert list(map(len, answers)) == list(map(len, ODD))
    for answer in tagger.annotate((s.words for s in ODD), best=2):
        for column in answer.columns.values():
            assert all(column.values) and [row[0][0] for row in column.best] == column.values


def _score(model):
    for scored, sentence in zip(model.score([s.words for s in ODD]), ODD, strict=True):
        assert len(scored.logs) == len(sentence) + 1 and np.isfinite(scored.logs).all()
    assert len(list(islice(model.generate(np.random.default_rng(1)), 5))) == 5


def _classify(model):
    for found in model.probabilities([s.words for s in ODD]):
        assert abs(found.p.sum() - 1) < 1e-3


def _segment(segmenter):
    text = "\ufeffDon't  du\u3000\r\n\r\n\u81ea\u7136 a.\x00"
    assert "".join(_parts(segmenter.read(text))) == text


def _parts(sentences):
    """What makes the text again: tokens, and what stands between them."""
    for sentence in sentences:
        yield from (sentence.before, *(part for pair in zip(sentence.tokens, sentence.spaces) for part in pair))


# what is done with a model of each kind that was loaded
USES = {"rnn": _tag, "hmm": _tag, "lm": _score, "transducer": _transduce, "segmenter": _segment,
        "classifier": _classify}
