"""A tagger as NLTK's ``TaggerI``     (extra: nltk)

    tagger = NLTKTagger("model")
    tagger.tag(["I", "read", "it"])         # [("I", "PRP"), ("read", "VBP"), ("it", "PRP")]

``tag_sents``, ``accuracy``, ``confusion`` and the rest of TaggerI follow from that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

try:
    from nltk.tag.api import TaggerI
except ImportError as error:
    raise ImportError("NLTK is not installed. Install it with pip install 'rnntag[nltk]'.") from error

from ..api import TAGGERS, load
from ..models.hmm import HMMTagger
from ..models.tagger import RNNTagger


class NLTKTagger(TaggerI):
    """The tagger in a model folder, or a tagger that is loaded already."""

    def __init__(self, model: str | Path | RNNTagger | HMMTagger):
        self.tagger = load(model, TAGGERS) if isinstance(model, (str, Path)) else model

    def tag(self, tokens: Sequence[str]) -> list[tuple[str, str]]:
        """The tokens of one sentence with their tags."""
        return self.tag_sents([tokens])[0]

    def tag_sents(self, sentences: Iterable[Sequence[str]]) -> list[list[tuple[str, str]]]:
        """The tokens of each sentence with their tags; many sentences at once are tagged fastest."""
        kept = [list(sentence) for sentence in sentences]
        return [list(zip(words, tags)) for words, tags in zip(kept, self.tagger.tag(kept), strict=True)]
