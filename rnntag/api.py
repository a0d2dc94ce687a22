"""What ``import rnntag`` offers to programs: train, load, save. Tagging is a method of what they give.

    tagger = rnntag.train("train.wordtag", epochs=8)
    list(tagger.tag([["I", "read", "it"]]))          # [["PRP", "VBP", "PRP"]]
    rnntag.save(tagger, "model")
    tagger = rnntag.load("model")

Nothing here sets the number of BLAS threads: that is the program's own affair (OPENBLAS_NUM_THREADS=1
is fastest with matrices this small, and has to be set before numpy is imported).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from . import modelfile
from .adaptation import START, adapted_options
from .corpus import Sentence, read_tagged
from .errors import CorpusError
from .hmm import HMMTagger
from .options import preset as preset_options
from .options import refuse_unused
from .tagger import RNNTagger
from .trainer import train_tagger

Corpus = str | Path | Iterable[Sentence | Sequence[tuple[str, str]]]


def load(path: str | Path) -> RNNTagger | HMMTagger:
    """The tagger in the model folder ``path``; one tagger may serve several threads.

    Raises ModelError when the folder is not what this program writes.
    """
    return modelfile.load(path)  # type: ignore[return-value]


def save(tagger: RNNTagger | HMMTagger, path: str | Path, *, force: bool = False) -> None:
    """Write ``tagger`` to the model folder ``path``, which appears in one step.

    Raises RnntagError when the folder exists and ``force`` is not given, or cannot be written.
    """
    modelfile.save(path, tagger, force=force)


def train(corpus: Corpus, *, dev: Corpus = (), preset: str | None = None, init: str | Path | RNNTagger | None = None,
          format: str | None = None, separator: str = "_", field: str = "upos", column: int = 2,
          **options: Any) -> RNNTagger:
    """An RNN tagger trained on ``corpus``; of its epochs the one that is best on ``dev``, if given.

    corpus, dev   a file, or sentences: ``corpus.Sentence`` or lists of (word, tag)
    preset        the options to start from: tutorial, default, accurate (default: default, or those of ``init``)
    init          a tagger, or a model folder, to start from instead of random weights (adaptation.py)
    format, separator, field, column   how files are to be read, as on the command line
    options       fields of ``options.Options``, such as epochs=8 or cell="lstm"

    Raises CorpusError for a corpus that cannot be learnt from, OptionError for options that are
    wrong or would change nothing, DivergedError when the loss is no longer finite.
    """
    model: Any = modelfile.load(init, "rnn", START) if isinstance(init, (str, Path)) else init
    chosen = (preset_options(preset or "default", **options) if model is None else
              adapted_options(model.options, options, preset))
    refuse_unused(chosen, options, bool(dev))
    layout = {"format": format, "separator": separator, "field": field, "column": column}
    return train_tagger(sentences(corpus, **layout), chosen, sentences(dev, **layout) if dev else (), init=model)


def sentences(corpus: Corpus, **layout: Any) -> list[Sentence]:
    """A tagged corpus, given as a file or as sentences, without its empty sentences.

    Raises CorpusError for a word without a tag, and when nothing is left.
    """
    if isinstance(corpus, (str, Path)):
        return read_tagged(corpus, **layout)
    found = []
    for number, given in enumerate(corpus, 1):
        sentence = given if isinstance(given, Sentence) else _from_pairs(given, number)
        if sentence.tags is None or len(sentence.tags) != len(sentence.words) or not (
                all(sentence.words) and all(sentence.tags)):
            raise CorpusError(f"sentence {number} has a word without a tag, or a tag without a word",
                              "both are needed to learn from")
        if sentence.words:
            found.append(sentence)
    if not found:
        raise CorpusError("no tagged sentences", "at least one is needed")
    return found


def _from_pairs(pairs: Sequence[tuple[str, str]], number: int) -> Sentence:
    for pair in pairs:
        if isinstance(pair, str) or len(pair) != 2 or not all(isinstance(part, str) for part in pair):
            raise TypeError(f"sentence {number}: {pair!r} is not a pair of a word and a tag")
    return Sentence([word for word, _ in pairs], [tag for _, tag in pairs], number)
