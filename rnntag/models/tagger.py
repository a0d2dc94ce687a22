"""RNNTagger: a network with its id maps. Words in, columns out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from threading import Lock
from typing import Any

import numpy as np

from ..corpus import Column, Sentence
from ..nn.layers import Array
from ..nn.packing import batches
from ..text.features import FeatureMap, WordTable, normalized
from ..text.vocab import Vocab
from .answers import CHUNK_TOKENS, Annotator, Posteriors, Words, chunks, cut, words_of
from .base import BATCH_TOKENS, Weighted
from .columns import LEMMA, Labels, Scored, context_of, learnt
from .ensemble import Cascade, Ensemble
from .inputs import VECTORS
from .lemmatizer import LEMMATIZER, TRIED, WEIGHTS, Writer, context_columns
from .network import Classes, build
from .options import Options
from .stored import checked, stored

VECTOR_NORM = 6.0  # of pretrained vectors; docs/experiments.md has what other lengths gave
CACHE_BYTES = 100_000_000  # of input projections of word types that are kept
CACHE_CHARACTERS = 1 << 25  # of these words


class RNNTagger(Weighted, Annotator):
    """A trained (or freshly initialised) RNN tagger.

    options            what the network is
    words              id map of the training corpus; it is the map of the feature ``form`` too
    features           feature maps (features.py)
    columns            what it answers, by the names of the columns, in order
    alphabet, vectors  id maps of characters and of words with a pretrained vector, or None
    temperatures       T of the probabilities of a column, which are those of scores / T (calibration.py), where it is
                       not 1; values are the same
    """

    kind = "rnn"

    def __init__(self, options: Options, words: Vocab, features: FeatureMap, columns: Mapping[str, Labels],
                 alphabet: Vocab | None, vectors: Vocab | None, params: dict[str, Array],
                 temperatures: Mapping[str, float] = {}):
        super().__init__(params)
        self.options, self.words, self.features, self.columns = options, words, features, dict(columns)
        self.alphabet, self.vectors, self.temperatures = alphabet, vectors, dict(temperatures)
        self.network = _network(options, features, columns, alphabet, vectors)
        self._cache: tuple[WordTable, Array, int] | None = None
        self._writer: Writer | None = None
        self._lock = Lock()  # of the cache: one tagger may serve several threads

    def __repr__(self) -> str:
        o = self.options
        what = ", ".join(f"{len(labels.names)} {name or 'tag'}s" for name, labels in self.columns.items())
        return f"<RNNTagger: {what}, {len(self.words) - 1:,} words; {o.encoder}, {o.output}; {self.size:,} weights>"

    def __reduce__(self) -> Any:  # for pickle and copy: what it has remembered of words, and its lock, stay behind
        return RNNTagger, (self.options, self.words, self.features, self.columns, self.alphabet, self.vectors,
                           self.params, self.temperatures), {"info": self.info, "place": self.place,
                                                             "parts": self.parts}

    @classmethod
    def create(cls, sentences: Sequence[Sentence], options: Options, rng: np.random.Generator,
               vectors: tuple[Vocab, Array] | None = None) -> RNNTagger:
        """A tagger with random weights for a corpus: id maps from its words and columns.

        vectors   words and their pretrained vectors (V, options.vectors), row 0 zero; of these the
                  direction counts, they are scaled to the norm VECTOR_NORM
        """
        tokens = normalized(chain.from_iterable(sentence.words for sentence in sentences), options.normalize)
        options = options.for_corpus(len(tokens))
        words = Vocab.build(tokens, options.min_count)
        features = FeatureMap.build(tokens, options.feature_names, options.min_count)
        alphabet = Vocab(sorted(set(chain.from_iterable(tokens)))) if options.char_rnn else None
        return cls.untrained(options, words, features, learnt(sentences), alphabet, vectors, rng)

    @classmethod
    def untrained(cls, options: Options, words: Vocab, features: FeatureMap, columns: Mapping[str, Labels],
                  alphabet: Vocab | None, vectors: tuple[Vocab, Array] | None,
                  rng: np.random.Generator) -> RNNTagger:
        """A tagger with these id maps and random weights; ``vectors`` as for ``create``."""
        params = _network(options, features, columns, alphabet, vectors and vectors[0]).initialise(rng)
        if vectors:
            lengths = np.linalg.norm(vectors[1], axis=1, keepdims=True)
            for name in params:
                if name.endswith("vectors.table"):
                    params[name][...] = VECTOR_NORM * vectors[1] / np.maximum(lengths, 1e-9)
        return cls(options, words, features, columns, alphabet, vectors and vectors[0], params)

    @property
    def fields(self) -> tuple[str, ...]:  # type: ignore[override]
        """The names of its columns."""
        return tuple(self.columns)

    @property
    def tags(self) -> Vocab:
        """The values of the first column (for lemmas, their scripts)."""
        return next(iter(self.columns.values())).vocab

    def word_table(self) -> WordTable:
        """An empty table for words as this tagger reads them."""
        return WordTable(self.features, self.alphabet, self.vectors, self.options.normalize)

    def with_params(self, params: dict[str, Array], temperatures: Mapping[str, float] = {}) -> RNNTagger:
        """The same tagger with other weights; its temperatures are not taken over, for they belong to the weights."""
        return RNNTagger(self.options, self.words, self.features, self.columns, self.alphabet,
                         self.vectors, params, temperatures)

    # -------------------------------------------------------------- tagging

    def tag(self, sentences: Iterable[Words]) -> Iterator[list[str]]:
        """What the first column says of each sentence (a list of words), in order, streaming.

        Sentences are taken CHUNK_TOKENS at a time and sorted by length into batches, so memory is
        bounded and results do not depend on what comes later than the chunk.
        """
        for chunk in chunks(sentences, CHUNK_TOKENS):
            words = list(map(words_of, chunk))
            values, _ = self._values(words, self.fields[:1])
            yield from cut(values[self.fields[0]].tolist(), words)

    def probabilities(self, sentences: Iterable[Words]) -> Iterator[Posteriors]:
        """The tags of each sentence with the probabilities of all tags of the first column, in order, streaming.
        (Of lemmas, their scripts.)"""
        name, names = self.fields[0], self.tags.strings[1:]
        for chunk in chunks(sentences, CHUNK_TOKENS):
            words = list(map(words_of, chunk))
            classes, p = self.posteriors(words, name)
            tags = [names[k] for k in classes.tolist()]
            yield from (Posteriors(*own, names) for own in zip(cut(tags, words), cut(p, words)))

    def posteriors(self, sentences: list[Sequence[str]], name: str,
                   allowed: Mapping[str, Array] = {}) -> tuple[Array, Array]:
        """The decoded classes (N,) of a column and P(y_t = k | x) (N, K) of the tokens of some sentences, one after
        the other; ``allowed`` as for ``scored``."""
        N = sum(map(len, sentences))
        classes, p = np.empty(N, np.intp), np.empty((0, len(self.columns[name].names)), self.dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            for at, answers in self.scored(sentences, [name], allowed):
                found = answers[name].probabilities()
                p = p if len(p) else np.empty((N, found.shape[1]), found.dtype)
                classes[at], p[at] = answers[name].classes(), found
        return classes, p

    def answers(self, chunk: Sequence[Words], fields: Sequence[str], best: int = 0,
                allowed: Mapping[str, Array] = {}) -> Iterator[dict[str, Column]]:
        """The columns of each sentence, one after the other; arguments as for ``annotate`` and ``scored``."""
        sentences = list(map(words_of, chunk))
        values, bests = self._values(sentences, fields, best, allowed)
        columns = [map(Column, cut(values[name].tolist(), sentences),
                       cut(bests[name], sentences) if best else repeat(None)) for name in fields]
        for _, *found in zip(sentences, *columns):
            yield dict(zip(fields, found))

    def _values(self, sentences: Sequence[Sequence[str]], fields: Sequence[str], best: int = 0,
                allowed: Mapping[str, Array] = {}) -> tuple[dict[str, Array], dict[str, list[Any]]]:
        """The values (N,) of these columns, one sentence after the other, and their probabilities."""
        N, context = sum(map(len, sentences)), self._context() if LEMMA in fields else []
        needed = sorted(dict.fromkeys([*fields, *context]), key=LEMMA.__eq__)  # the lemma last
        values = {name: np.empty(N, object) for name in needed}
        bests: dict[str, list[Any]] = {name: [None] * N for name in needed}
        with np.errstate(over="ignore", invalid="ignore"):
            for at, answers in self.scored(sentences, needed, allowed):
                for name, scored in answers.items():
                    if name == LEMMA:
                        first = context_of(context)
                        told = values[first][at] if first else [""] * len(at)
                        values[name][at], ranks = self._lemmas(scored._replace(context=told), answers, best)
                    else:
                        values[name][at], ranks = self.columns[name].answer(scored, best)
                    for i, rank in zip(at.tolist(), ranks or ()):
                        bests[name][i] = rank
        return values, bests

    def _context(self) -> list[str]:
        """The columns that the lemma depends on."""
        written = context_columns(self.fields) if LEMMATIZER in self.parts else []
        return list(dict.fromkeys([*filter(None, [context_of(self.fields)]), *written]))

    def _lemmas(self, scored: Scored, answers: Mapping[str, Scored], best: int) -> tuple[list[str], Any]:
        """The lemma of each word, as ``Lemmas.answer`` gives it. The encoder-decoder is asked about words that
        training did not see."""
        labels: Any = self.columns[LEMMA]
        values, ranks = labels.answer(scored, best)
        transducer = self.parts.get(LEMMATIZER)
        if transducer is None:
            return values, ranks
        if self._writer is None or self._writer.transducer is not transducer:
            self._writer = Writer(transducer, self.words)
        new = self._writer.unseen(scored.words)
        likely = {name: self.columns[name].likely(answers[name], new, TRIED) for name in context_columns(answers)}
        written = self._writer.write([scored.words[i] for i in new], likely)
        found, better = labels.answer(scored.asked(new, written, WEIGHTS[self.options.lemmatizer]), best)
        for k, i in enumerate(new):
            values[i] = found[k]
            if ranks:
                ranks[i] = better[k]
        return values, ranks

    def scored(self, sentences: Sequence[Sequence[str]], fields: Sequence[str],
               allowed: Mapping[str, Array] = {}) -> Iterator[tuple[Array, dict[str, Scored]]]:
        """The tokens of some sentences, one after the other, in batches: which tokens these are (N,), and what the
        network says of them in each column.

        allowed   for a column, which classes each token may have (N, K), at least one

        Raises ModelError when scores overflow.
        """
        words = list(chain.from_iterable(sentences))
        first, types = self._projections(words)
        forms = np.array([*words, None], object)[:-1] if LEMMA in fields else None  # of strings, even if empty
        lengths = np.array([len(sentence) for sentence in sentences], np.intp)
        starts, numbers = np.cumsum(lengths) - lengths, [self.fields.index(name) for name in fields]
        for members, packing in batches(lengths.tolist(), BATCH_TOKENS):
            at = starts[members][packing.sentence] + packing.time  # where the batch's tokens are from
            with np.errstate(over="ignore", invalid="ignore"):  # a stranger's weights may be as large as they like
                found = self.network.scores(self.params, first, packing, types[at], numbers)
            answers = {}
            for name, number, scores in zip(fields, numbers, map(self.finite, found)):
                if name in allowed:
                    scores[~allowed[name][at]] = -np.inf
                answers[name] = Scored(self.network.outputs[number], self.params, scores, packing,
                                       self.temperatures.get(name, 1.0), () if forms is None else forms[at], ())
            yield at, answers

    def _projections(self, words: list[str]) -> tuple[Array, Array]:
        """The first layer's projections of all word types met so far, kept between calls, for they depend
        on the word alone; and which of them each word has (N,)."""
        with self._lock, np.errstate(over="ignore", invalid="ignore"):
            table, first, done = self._cache or (self.word_table(), np.empty((0, 0), self.dtype), 0)
            full = len(table) + len(words) > len(first) and len(table) + len(set(words)) > len(first)
            if full or table.characters_read > CACHE_CHARACTERS:
                table, done = self.word_table(), 0  # it may become too small, or is too large: start anew
            types = table.ids(words)  # an interrupted call may have left words without a projection
            if len(table) > done:
                new = self.network.input_projection(self.params, table, np.arange(done, len(table)))
                if done == 0:  # memory is taken as it is written to, not when it is asked for
                    first = np.empty((max(CACHE_BYTES // new[0].nbytes, len(new)), new.shape[1]), new.dtype)
                first[done:len(table)] = new
                self._cache = table, first, len(table)
            return first, types

    # -------------------------------------------------------------- model folder

    def state(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Array]]:
        """Options, id maps and arrays: what ``restore`` takes."""
        return stored(self)

    @classmethod
    def shapes(cls, options: dict[str, Any], ids: dict[str, Any]) -> dict[str, tuple[int, ...]]:
        """Name and shape of every array of a model with these options and id maps.

        Raises OptionError when options and id maps do not fit.
        """
        found = checked(options, ids)
        network = _network(found.options, found.features, found.columns(), found.alphabet, found.vectors)
        return {**network.shapes(), **found.more_shapes()}

    @classmethod
    def restore(cls, options: dict[str, Any], ids: dict[str, Any], arrays: dict[str, Array]) -> RNNTagger:
        """The tagger that ``state`` described. Raises OptionError as ``shapes``, and when arrays do not fit."""
        found = checked(options, ids)
        params = {name: array for name, array in arrays.items() if name not in found.more_shapes()}
        return cls(found.options, found.words, found.features, found.columns(arrays), found.alphabet, found.vectors,
                   params, found.temperatures)


def _network(options: Options, features: FeatureMap, columns: Mapping[str, Labels], alphabet: Vocab | None,
             vectors: Vocab | None) -> Any:
    classes = {name: Classes(len(labels.names), labels.membership(), name != LEMMA)
               for name, labels in columns.items()}
    members = [build(options, features.rows, classes, len(alphabet) if alphabet else 0,
                     len(vectors) if vectors else 0, len(features.ngrams) if features.ngrams else 0)
               for _ in range(options.members)]
    shared = (VECTORS,) if options.freeze_vectors else ()
    if options.members > 1 and options.sure < 1 and options.apart:
        return Cascade(members, shared, options.sure)
    return members[0] if options.members == 1 else Ensemble(members, shared)
