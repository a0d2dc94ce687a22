"""What ``import rnntag`` offers to programs: train, load, save. Tagging is a method of what they give.

    tagger = rnntag.train("train.wordtag", epochs=8)
    list(tagger.tag([["I", "read", "it"]]))          # [["PRP", "VBP", "PRP"]]
    rnntag.save(tagger, "model")
    tagger = rnntag.load("model")

Nothing here sets the number of BLAS threads: that is the program's own affair (OPENBLAS_NUM_THREADS=1
is fastest with matrices this small, and has to be set before numpy is imported).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, overload

from .corpus import Layout
from .errors import OptionError, quote
from .models.hmm import HMMTagger
from .models.tagger import RNNTagger
from .models.transducer import Transducer
from .storage import modelfile
from .storage.kinds import TAGGERS, Tagger  # noqa: F401 - adapters load these
from .training.preparation import FILE, Corpus, Text, Vectors, prepare


@overload
def load(path: str | Path) -> Tagger: ...
@overload
def load(path: str | Path, kind: Literal["rnn"]) -> RNNTagger: ...
@overload
def load(path: str | Path, kind: Literal["hmm"]) -> HMMTagger: ...
@overload
def load(path: str | Path, kind: Literal["transducer"]) -> Transducer: ...
@overload
def load(path: str | Path, kind: tuple[str, ...]) -> Tagger: ...


def load(path: str | Path, kind: str | Sequence[str] | None = None) -> Any:
    """The model in the model folder ``path``; one model may serve several threads.

    kind   the only kind of model that will do, ``rnn``, ``hmm`` or ``transducer``, or several: TAGGERS (default: any)

    Raises ModelError when the folder is not what this program writes.
    """
    return modelfile.load(_folder(path), kind)


def save(tagger: Tagger, path: str | Path, *, force: bool = False) -> None:
    """Write ``tagger`` to the model folder ``path``, which appears in one step.

    Raises RnntagError when the folder exists and ``force`` is not given, or cannot be written.
    """
    if not isinstance(tagger, (RNNTagger, HMMTagger)):
        raise OptionError(quote(tagger), "it is what train or load gives", place="tagger")
    modelfile.save(_folder(path), tagger, force=force)


def train(corpus: Corpus, *, dev: Corpus = (), dev_fraction: float = 0.0, keep: str | None = None,
          preset: str | None = None, init: str | Path | Tagger | None = None, vectors: Vectors | None = None,
          raw_text: Text = (), format: str | None = None, separator: str = "_",
          field: str | Sequence[str] | None = None, column: int = 2, tag_map: Mapping[str, str] | None = None,
          **options: Any) -> RNNTagger:
    """An RNN tagger trained on ``corpus``.

    corpus, dev    a file, or sentences: ``corpus.Sentence`` or lists of (word, tag); dev scores each epoch
    dev_fraction   the share of ``corpus`` to hold out as the dev set instead
    keep           the weights to keep: of the epoch that is ``best`` on the dev set (default), or of the ``last`` one
    preset         the options to start from: tutorial, default, fast, columns, accurate (default: default, or columns
                   when there are several, or those of ``init``)
    init           a tagger, or a model folder, to start from instead of random weights (adaptation.py)
    vectors        pretrained word vectors: a file, or distinct words and an array with a row for each
    raw_text       untagged text to make vectors from: files, or sentences as lists of words
    format, separator, field, column, tag_map   how files are to be read, as on the command line; ``field`` may be a
                   list of columns
    options        fields of ``options.Options``, such as epochs=8 or cell="lstm"

    Raises CorpusError for a corpus that cannot be learnt from, OptionError for arguments that are wrong,
    DivergedError when the loss is no longer finite.
    """
    layout = Layout(format, separator, field, column, tag_map=tag_map)
    run = prepare(corpus, dev=dev, dev_fraction=dev_fraction, keep=keep, preset=preset, init=init, vectors=vectors,
                  raw_text=raw_text, layout=layout, options=options)
    for _ in run.trainer.epochs():
        pass
    return run.result()


def _folder(path: Any) -> str | Path:
    if not isinstance(path, FILE):
        raise OptionError(quote(path), "it is the path of a folder", place="path")
    return path
