"""From a corpus, a dev set, vectors and options to a training run that is ready to begin, for programs and
commands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..corpus import COLUMNS, Column, Layout, Sentence, count_characters, read, read_tagged
from ..corpus.split import hold_out
from ..errors import CorpusError, OptionError, quote
from ..files import digest
from ..models.adaptation import START, adapted_options
from ..models.columns import LEMMA
from ..models.options import Options, preset as preset_options, refuse, refuse_unused
from ..models.tagger import RNNTagger
from ..nn.layers import Array
from ..storage import modelfile
from ..storage.kinds import Tagger
from ..text.vectorfile import read_vectors
from ..text.vectors import train_vectors
from ..text.vocab import Vocab
from .lemmatizing import part_trainers
from .run import Run, check_dev
from .tagging import TaggingTask, new_tagger
from .trainer import Trainer

FILE = (str, Path)  # what names a file
Corpus = str | Path | Iterable[Sentence | Sequence[tuple[str, str]]]
Text = str | Path | Iterable[str | Path | Sequence[str]]
Vectors = str | Path | tuple[Sequence[str], Any]


@dataclass
class TaggingRun(Run):
    """The training of a tagger.

    task         what is trained
    train, dev   the sentences
    start        the tagger to start from, or None
    """

    task: TaggingTask
    train: list[Sentence]
    dev: list[Sentence]
    start: RNNTagger | None


def prepare(corpus: Corpus, *, dev: Corpus = (), dev_fraction: float = 0.0, keep: str | None = None,
            preset: str | None = None, init: str | Path | Tagger | None = None, vectors: Vectors | None = None,
            raw_text: Text = (), layout: Layout, options: Mapping[str, Any],
            progress: Callable[[Iterator[Sequence[str]]], Iterable[Sequence[str]]] = iter) -> TaggingRun:
    """All that precedes the epochs of a training run; the arguments are those of ``rnntag.train``.

    layout     how to read files
    progress   takes the sentences of ``raw_text`` and passes them on

    Raises OptionError for misuse before a corpus is read, then CorpusError for what is wrong with one.
    """
    given = dict(options)
    has_dev, has_text = _is_there(dev), _is_there(raw_text)
    check_dev(has_dev, dev_fraction, keep)
    if vectors is not None and has_text:
        raise OptionError("given together", "vectors come from one of them", place="--vectors and --raw-text")
    start: Any = modelfile.load(init, "rnn", START) if isinstance(init, FILE) else init
    if start is not None:
        if not isinstance(start, RNNTagger):
            raise OptionError(quote(start), "it is an RNN tagger, or a model folder", place="--init")
        layout = replace(layout, field=layout.field or modelfile.trained_field(start))
    width = {"vectors": 1} if vectors is not None or has_text else {}  # the width is not known yet
    refuse_unused(_options(start, preset, given | width), given, has_dev or dev_fraction > 0)

    train = sentences(corpus, layout)
    names = tuple(train[0].columns)
    if "lemmatizer" in given and LEMMA not in names:
        refuse(_options(start, preset, given | width), {"lemmatizer": "without a column of lemmas"})
    of_dev = replace(layout, field=layout.field if "" in names else names)
    held_out = sentences(dev, of_dev, names) if has_dev else []
    if start is None:
        preset = preset or ("columns" if len(names) > 1 else "default")
    info: dict[str, Any] = {"preset": preset} if preset else {}
    info |= modelfile.origin(corpus, train, layout)
    if start is not None:
        info["init"] = ({"name": Path(init).name, "sha256": digest(Path(init) / modelfile.MANIFEST)}
                        if isinstance(init, FILE) else start.info.get("train", {}))
    table = vector_table(vectors, raw_text if has_text else (), progress)
    if table is not None:
        given["vectors"] = table[1].shape[1]
        info["vectors"] = {Path(path).name: digest(path) for path in _files(raw_text if has_text else vectors)}
    chosen = _options(start, preset, given)
    rng = np.random.default_rng(chosen.seed)
    if dev_fraction:
        train, held_out = ([train[i] for i in part] for part in hold_out(len(train), dev_fraction, rng))
    if held_out:
        info["dev"] = {**modelfile.provenance(dev if has_dev else corpus, held_out), "fraction": dev_fraction,
                       "kept": keep or "best"}
    task = TaggingTask(new_tagger(train, chosen, rng, table, start), train, held_out)
    return TaggingRun(Trainer(task, rng), info, keep or "best", task, train, held_out, start,
                      parts=part_trainers(task.tagger, train))


def _is_there(given: Any) -> bool:
    """Is an argument given? It may be a file, or several sentences; by default it is ()."""
    return isinstance(given, FILE) or not isinstance(given, Collection) or len(given) > 0


def _options(start: RNNTagger | None, preset: str | None, given: Mapping[str, Any]) -> Options:
    """The options of the new tagger."""
    return preset_options(preset or "default", **given) if start is None else adapted_options(
        start.options, given, preset)


# ------------------------------------------------------------------ corpora


def sentences(corpus: Corpus, layout: Layout, names: tuple[str, ...] = ()) -> list[Sentence]:
    """A tagged corpus, given as a file or as sentences, without its empty sentences; all have the same columns.

    names   of these columns (default: those that it has)

    Raises CorpusError for a word without a tag, and when nothing is left.
    """
    if isinstance(corpus, FILE):
        return [_named(sentence, names) for sentence in read_tagged(corpus, layout)]
    if not isinstance(corpus, Iterable):
        raise CorpusError(quote(corpus), "a corpus is a file, or sentences")
    tag_map, kept = layout.tag_map or {}, []
    for number, given in enumerate(corpus, 1):
        sentence = given if isinstance(given, Sentence) else _from_pairs(given, number)
        count_characters(sentence.words, number)
        columns = {name: column.values for name, column in sentence.columns.items()} or {"": []}
        for values in columns.values():
            count_characters(values, number)
        first = next(iter(columns))
        if any(len(values) != len(sentence.words) for values in columns.values()) or not (
                all(sentence.words) and all(columns[first])):
            raise CorpusError("a word without a tag, or a tag without a word", "both are needed to learn from",
                              place=f"sentence {number}")
        if sentence.words:
            columns[first] = [tag_map.get(tag, tag) for tag in columns[first]]
            kept.append(Sentence(sentence.words, {name: Column(values) for name, values in columns.items()},
                                 sentence.line or number))
    if not kept:
        raise CorpusError("no tagged sentences", "at least one is needed")
    names = names or tuple(dict.fromkeys(name for sentence in kept for name in sentence.columns))
    if odd := [name for name in names if name not in ("", *COLUMNS)]:
        raise CorpusError(f"a column {quote(odd[0])}", f"columns are {', '.join(COLUMNS)}, or one without a name")
    return [_named(sentence, names) for sentence in kept]


def _named(sentence: Sentence, names: tuple[str, ...]) -> Sentence:
    """The sentence with columns of these names, those that it lacks empty; one without a name is the first, and the
    first is one without."""
    if not names or tuple(sentence.columns) == names:
        return sentence
    found = dict(sentence.columns)
    if names[0] not in found and ("" in found or not names[0]):
        found = {names[0]: found.pop("" if "" in found else next(iter(found))), **found}
    empty = Column([""] * len(sentence))
    return Sentence(sentence.words, {name: found.get(name, empty) for name in names}, sentence.line)


def _from_pairs(pairs: Any, number: int) -> Sentence:
    place = f"sentence {number}"
    if isinstance(pairs, str) or not isinstance(pairs, Collection):
        raise CorpusError(quote(pairs), "a sentence is a list of (word, tag)", place=place)
    for pair in pairs:
        if isinstance(pair, str) or not isinstance(pair, Collection) or len(pair) != 2:
            raise CorpusError(quote(pair), "it is a pair of a word and a tag", place=place)
    return Sentence([word for word, _ in pairs], [tag for _, tag in pairs], number)


# ------------------------------------------------------------------ vectors


def vector_table(vectors: Vectors | None, raw_text: Text, progress: Callable[
        [Iterator[Sequence[str]]], Iterable[Sequence[str]]] = iter) -> tuple[Vocab, Array] | None:
    """Words and vectors (V, width), row 0 zero: those given, or from untagged text; None without either."""
    if vectors is not None:
        return _table(vectors)
    return train_vectors(progress(_words(raw_text))) if raw_text else None


def _table(vectors: Vectors) -> tuple[Vocab, Array]:
    """Words and vectors (V, width), row 0 zero, from a file or from a program's arrays."""
    if isinstance(vectors, FILE):
        return read_vectors(vectors)
    try:
        words, table = vectors
        vocab, rows = Vocab(words), np.asarray(table, np.float32)
        fit = rows.ndim == 2 and len(rows) == len(vocab) - 1 > 0 and "" not in vocab.strings[1:] and (
            len(set(vocab.strings)) == len(vocab)) and all(isinstance(word, str) for word in vocab.strings)
    except (TypeError, ValueError):
        fit = False
    if not fit or not np.isfinite(rows).all():
        raise OptionError(quote(vectors), "it is a file, or distinct words and an array with a finite row for "
                          "each", place="--vectors")
    return vocab, np.concatenate((np.zeros_like(rows[:1]), rows))


def _files(given: Any) -> list[str | Path]:
    """The files of an argument that may have other things in it."""
    if isinstance(given, FILE):
        return [given]
    return [item for item in given if isinstance(item, FILE)]


def _words(raw_text: Text) -> Iterator[Sequence[str]]:
    """The sentences of untagged text."""
    for number, item in enumerate([raw_text] if isinstance(raw_text, FILE) else raw_text, 1):
        if isinstance(item, FILE):
            yield from (sentence.words for sentence in read(item, "tokens"))
        else:
            count_characters(item, number)
            yield item
