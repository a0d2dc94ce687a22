"""RNNTagger: a network with its id maps. Words in, tags out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from ..corpus import Column, Sentence
from ..errors import ModelError, OptionError
from ..nn.layers import Array
from ..nn.packing import Packing
from ..text.features import FeatureMap, WordTable, normalized, stored_slots
from ..text.vocab import Vocab
from .answers import CHUNK_TOKENS, Annotator, Posteriors, Words, chunks, cut, words_of
from .ensemble import Ensemble
from .inputs import VECTORS
from .network import build
from .options import Options

BATCH_TOKENS = 4_096  # tokens in one pass through the network
VECTOR_NORM = 6.0  # of pretrained vectors; docs/experiments.md has what other lengths gave
TEMPERATURES = 0.5, 5.0  # the lowest and the highest
MAX_SCORE = 1e37  # beyond, float32 may not hold what is made of scores
CACHE_BYTES = 100_000_000  # of input projections of word types that are kept
CACHE_CHARACTERS = 1 << 25  # of these words


class RNNTagger(Annotator):
    """A trained (or freshly initialised) RNN tagger.

    options            what the network is
    words, tags        id maps of the training corpus; class k is tag id k + 1; words is the
                       map of the feature ``form`` too
    features           feature maps (features.py)
    alphabet, vectors  id maps of characters and of words with a pretrained vector, or None
    params             name to array
    temperature        T of the probabilities, which are those of scores / T (calibration.py); tags are the same
    info               where it is from, as its model folder says
    parts              other models that belong to it, by name (storage/kinds.py)
    """

    kind = "rnn"
    dtype = "float32"
    place: str | Path = ""  # the folder that it was loaded from, for messages

    def __init__(self, options: Options, words: Vocab, features: FeatureMap, tags: Vocab,
                 alphabet: Vocab | None, vectors: Vocab | None, params: dict[str, Array], temperature: float = 1.0):
        self.options, self.words, self.features, self.tags = options, words, features, tags
        self.alphabet, self.vectors, self.params, self.temperature = alphabet, vectors, params, temperature
        self.network = _network(options, features, tags, alphabet, vectors)
        self.info: dict[str, Any] = {}
        self.parts: dict[str, Any] = {}
        self._cache: tuple[WordTable, Array, int] | None = None
        self._lock = Lock()  # of the cache: one tagger may serve several threads

    def __repr__(self) -> str:
        o = self.options
        size = sum(array.size for array in self.params.values())
        return (f"<RNNTagger: {len(self.tags) - 1} tags, {len(self.words) - 1:,} words; {o.encoder}, {o.output}; "
                f"{size:,} weights>")

    def __reduce__(self) -> Any:  # for pickle and copy: what it has remembered of words, and its lock, stay behind
        return RNNTagger, (self.options, self.words, self.features, self.tags, self.alphabet, self.vectors,
                           self.params, self.temperature), {"info": self.info, "place": self.place,
                                                            "parts": self.parts}

    @classmethod
    def create(cls, sentences: Sequence[Sentence], options: Options, rng: np.random.Generator,
               vectors: tuple[Vocab, Array] | None = None) -> RNNTagger:
        """A tagger with random weights for a corpus: id maps from its words and tags.

        vectors   words and their pretrained vectors (V, options.vectors), row 0 zero; of these the
                  direction counts, they are scaled to the norm VECTOR_NORM
        """
        tokens = normalized(chain.from_iterable(sentence.words for sentence in sentences), options.normalize)
        words = Vocab.build(tokens, options.min_count)
        tags = Vocab(sorted(set(chain.from_iterable(s.tags or [] for s in sentences))))
        features = FeatureMap.build(tokens, options.feature_names, options.min_count)
        alphabet = Vocab(sorted(set(chain.from_iterable(tokens)))) if options.char_rnn else None
        return cls.untrained(options, words, features, tags, alphabet, vectors, rng)

    @classmethod
    def untrained(cls, options: Options, words: Vocab, features: FeatureMap, tags: Vocab, alphabet: Vocab | None,
                  vectors: tuple[Vocab, Array] | None, rng: np.random.Generator) -> RNNTagger:
        """A tagger with these id maps and random weights; ``vectors`` as for ``create``."""
        params = _network(options, features, tags, alphabet, vectors and vectors[0]).initialise(rng)
        if vectors:
            lengths = np.linalg.norm(vectors[1], axis=1, keepdims=True)
            for name in params:
                if name.endswith("vectors.table"):
                    params[name][...] = VECTOR_NORM * vectors[1] / np.maximum(lengths, 1e-9)
        return cls(options, words, features, tags, alphabet, vectors and vectors[0], params)

    def word_table(self) -> WordTable:
        """An empty table for words as this tagger reads them."""
        return WordTable(self.features, self.alphabet, self.vectors, self.options.normalize)

    def with_params(self, params: dict[str, Array], temperature: float = 1.0) -> RNNTagger:
        """The same tagger with other weights; its temperature is not taken over, for it belongs to the weights."""
        return RNNTagger(self.options, self.words, self.features, self.tags, self.alphabet,
                         self.vectors, params, temperature)

    # -------------------------------------------------------------- tagging

    @property
    def fields(self) -> tuple[str, ...]:  # type: ignore[override]
        """The name of the column that it fills, as its corpus had it."""
        return self.info.get("field") or "",

    def columns(self, chunk: Sequence[Words], fields: tuple[str, ...], best: int) -> Iterator[dict[str, Column]]:
        return super().columns(list(map(words_of, chunk)), fields, best)

    def tag(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[str]]:
        """The tags of each sentence (a list of words), in order, streaming.

        Sentences are taken CHUNK_TOKENS at a time and sorted by length into batches, so memory is
        bounded and results do not depend on what comes later than the chunk.
        """
        names = np.array(self.tags.strings[1:], object)
        for chunk in chunks(sentences, CHUNK_TOKENS):
            yield from cut(names[self.answers(chunk)[0]].tolist(), chunk)

    def probabilities(self, sentences: Iterable[Sequence[str]]) -> Iterator[Posteriors]:
        """The tags of each sentence with the probabilities of all tags, in order, streaming."""
        names = self.tags.strings[1:]
        for chunk in chunks(sentences, CHUNK_TOKENS):
            classes, p = self.answers(chunk, posteriors=True)
            tags = [names[k] for k in classes.tolist()]
            yield from (Posteriors(*own, names) for own in zip(cut(tags, chunk), cut(p, chunk)))

    def answers(self, sentences: list[Sequence[str]], posteriors: bool = False,
                allowed: Array | None = None) -> tuple[Array, Array]:
        """The decoded classes (N,) of the tokens of some sentences, one after the other, and if asked for
        the posteriors (N, K).

        allowed   which classes each token may have (N, K), at least one

        Raises ModelError when scores overflow.
        """
        first, types = self._projections(list(chain.from_iterable(sentences)))
        lengths = np.array([len(sentence) for sentence in sentences], np.intp)
        starts = np.cumsum(lengths) - lengths
        classes = np.empty(len(types), np.intp)
        probabilities = np.empty((0, len(self.tags) - 1), self.dtype)
        # the weights of a stranger may be as large as they like
        with np.errstate(over="ignore", invalid="ignore"):
            for members, packing in batches(lengths.tolist(), BATCH_TOKENS):
                at = starts[members][packing.sentence] + packing.time  # where the batch's tokens are from
                scores = self.finite(self.network.scores(self.params, first, packing, types[at]))
                if allowed is not None:
                    scores[~allowed[at]] = -np.inf
                classes[at] = self.network.output.decode(self.params, scores, packing)
                if posteriors:
                    p = self.posteriors(scores, packing)
                    if not len(probabilities):
                        probabilities = np.empty((len(types), p.shape[1]), p.dtype)
                    probabilities[at] = p
        return classes, probabilities

    def finite(self, scores: Array) -> Array:
        """``scores``. Raises ModelError when some are not finite, or nearly so: finite weights can be too large."""
        if not abs(scores).max() <= MAX_SCORE:
            raise ModelError("weights so large that scores overflow", "no training ends with such weights",
                             "Train it again, or fetch it again from where it came.", self.place)
        return scores

    def posteriors(self, scores: Array, packing: Packing) -> Array:
        """P(y_t = k | x) of packed scores (N, K), all scores (and transitions) divided by the temperature."""
        return self.network.output.probabilities(self.params, scores, packing, self.temperature)

    def _projections(self, words: list[str]) -> tuple[Array, Array]:
        """The first layer's projections of all word types met so far, kept between calls, for they depend
        on the word alone; and which of them each word has (N,)."""
        with self._lock, np.errstate(over="ignore", invalid="ignore"):
            table, first, done = self._cache or (self.word_table(), np.empty((0, 0), self.dtype), 0)
            if len(table) + len(set(words)) > len(first) or table.characters_read > CACHE_CHARACTERS:
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
        ids: dict[str, Any] = {"words": self.words.strings, "tags": self.tags.strings, "features": {
            slot: vocab.strings for slot, vocab in self.features.vocabs.items() if slot != "form"}}
        if self.alphabet is not None:
            ids["characters"] = self.alphabet.strings
        if self.vectors is not None:
            ids["vectors"] = self.vectors.strings
        options = self.options.to_dict() | ({} if self.temperature == 1 else {"temperature": self.temperature})
        return options, ids, self.params

    @classmethod
    def shapes(cls, options: dict[str, Any], ids: dict[str, Any]) -> dict[str, tuple[int, ...]]:
        """Name and shape of every array of a model with these options and id maps.

        Raises OptionError when options and id maps do not fit.
        """
        checked, maps = _check(options, ids)
        return _network(checked, maps["features"], maps["tags"], maps["alphabet"], maps["vectors"]).shapes()

    @classmethod
    def restore(cls, options: dict[str, Any], ids: dict[str, Any], arrays: dict[str, Array]) -> RNNTagger:
        """The tagger that ``state`` described."""
        checked, maps = _check(options, ids)
        return cls(checked, maps["words"], maps["features"], maps["tags"], maps["alphabet"],
                   maps["vectors"], arrays, options.get("temperature", 1.0))


def _network(options: Options, features: FeatureMap, tags: Vocab, alphabet: Vocab | None,
             vectors: Vocab | None) -> Any:
    members = [build(options, features.rows, len(tags) - 1, len(alphabet) if alphabet else 0,
                     len(vectors) if vectors else 0) for _ in range(options.members)]
    return members[0] if options.members == 1 else Ensemble(members, (VECTORS,) if options.freeze_vectors else ())


def _check(options: dict[str, Any], ids: dict[str, Any]) -> tuple[Options, dict[str, Any]]:
    """Validated options, and the id maps that they call for, no more and no less."""
    checked = Options.from_dict({name: value for name, value in options.items() if name != "temperature"})
    temperature = options.get("temperature", 1.0)
    if type(temperature) is not float or not TEMPERATURES[0] <= temperature <= TEMPERATURES[1]:
        raise OptionError(f"temperature {str(temperature)[:60]}", f"it is at least {TEMPERATURES[0]} and at most "
                          f"{TEMPERATURES[1]}")
    wanted = {"words", "tags", "features"}
    wanted |= {"characters"} if checked.char_rnn else set()
    wanted |= {"vectors"} if checked.vectors else set()
    found: Any = ids.get("features")
    form = {"form"} if "form" in checked.feature_names else set()  # its map is that of the words
    slots = stored_slots(checked.feature_names, found.keys() | form) if isinstance(found, dict) else None
    if ids.keys() != wanted or slots is None or form & found.keys() \
            or any(isinstance(ids[name], dict) for name in wanted - {"features"}) \
            or any(isinstance(strings, dict) for strings in found.values()):
        raise OptionError("id maps that do not fit the options", f"these call for {', '.join(sorted(wanted))}")
    if len(ids["tags"]) < 2:
        raise OptionError("an empty tag set", "a tagger has at least one tag")
    vocab = {name: Vocab(strings[1:]) for name, strings in ids.items() if name != "features"}
    features = FeatureMap({slot: vocab["words"] if slot == "form" else Vocab(found[slot][1:])
                           for slot in slots})
    return checked, {"words": vocab["words"], "tags": vocab["tags"], "features": features,
                     "alphabet": vocab.get("characters"), "vectors": vocab.get("vectors")}


# ------------------------------------------------------------------ batches


def batches(lengths: Sequence[int], tokens: int) -> Iterator[tuple[list[int], Packing]]:
    """Non-empty sequences sorted by length into batches of about ``tokens`` tokens, longest first."""
    order = sorted((i for i, n in enumerate(lengths) if n), key=lambda i: -lengths[i])
    members: list[int] = []
    size = 0
    for i in order:
        if members and size + lengths[i] > tokens:
            yield members, Packing(tuple(lengths[j] for j in members))
            members, size = [], 0
        members.append(i)
        size += lengths[i]
    if members:
        yield members, Packing(tuple(lengths[j] for j in members))
