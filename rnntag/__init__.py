"""rnntag: part-of-speech taggers trained on your own tagged corpus.

The rooms of the house, in the order in which data flows through them; each imports only from rooms above it, and
its first lines say from which:

    errors       what a user can get wrong
    events       what happens, told to the module logging
    compression  gzip, bzip2, xz
    files        files that are whole or absent
    processes    a pool of processes that end with their parent
    nn           arrays: layers, cells, recurrent layers, outputs, optimisers
    corpus       text to Sentence and back: formats, lists, corpora to fetch
    text         words to numbers: id maps, features, vectors
    evaluation   how good answers are, how sure one can be of that
    models       networks and taggers
    storage      model folders
    training     from a corpus to a model
    analysis     what a corpus is like, and a model
    parallel     tagging in several processes
    api          train, load and save, for programs: rnntag.train(...)
    adapters     taggers as parts of other libraries: NLTK, spaCy, scikit-learn, Arrow, Spark
    cli          the command line
"""

from __future__ import annotations

TYPE_CHECKING = False  # the module typing takes its time to import
if TYPE_CHECKING:
    from typing import Any

    from .api import load, save, train

__version__ = "0.2.0"
__all__ = ["__version__", "load", "save", "train"]


def __getattr__(name: str) -> Any:
    """``load``, ``save`` and ``train`` of api.py, imported (and numpy with them) when first asked for."""
    if name not in ("load", "save", "train"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module
    return getattr(import_module(".api", __name__), name)
