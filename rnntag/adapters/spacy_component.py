"""A tagger as a component of a spaCy pipeline     (extra: spacy)

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("rnntag", config={"model": "model", "attribute": "tag"})

spaCy finds the factory ``rnntag`` by the entry point in setup.cfg. Tags go to ``token.tag_``, or with
attribute ``pos``, when they are universal tags, to ``token.pos_``. Sentences are those that a component
before it has found, otherwise a document is one sentence. White space, which spaCy makes tokens of,
is not shown to the tagger; such a token gets what spaCy's own taggers give it: _SP, SPACE.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, Token

from ..api import TAGGERS, load

SPACES = {"tag": "_SP", "pos": "SPACE"}


@Language.factory("rnntag", default_config={"attribute": "tag"}, assigns=["token.tag", "token.pos"])
def create(nlp: Language, name: str, model: str | Path, attribute: str) -> SpacyTagger:
    """The component for a model folder; called by ``add_pipe``."""
    return SpacyTagger(model, attribute)


class SpacyTagger:
    """Fills ``attribute`` (tag or pos) of the tokens of documents.

    Raises ValueError for another attribute, and ModelError for what is no model.
    """

    def __init__(self, model: str | Path, attribute: str = "tag"):
        if attribute not in SPACES:
            raise ValueError(f"attribute {attribute!r}; it is one of {', '.join(SPACES)}")
        self.tagger, self.attribute = load(model, TAGGERS), attribute

    def __call__(self, doc: Doc) -> Doc:
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 64) -> Iterator[Doc]:
        """The documents, tagged ``batch_size`` at a time."""
        documents = iter(stream)
        while batch := list(islice(documents, batch_size)):
            sentences = [sentence for doc in batch for sentence in self._sentences(doc)]
            answers = self.tagger.tag([token.text for token in sentence] for sentence in sentences)
            for sentence, tags in zip(sentences, answers, strict=True):
                for token, tag in zip(sentence, tags, strict=True):
                    setattr(token, self.attribute + "_", tag)
            yield from batch

    def _sentences(self, doc: Doc) -> list[list[Token]]:
        """The words of each sentence; what is white space gets its tag here."""
        spans = doc.sents if doc.has_annotation("SENT_START") else [doc]
        for token in doc:
            if token.is_space:
                setattr(token, self.attribute + "_", SPACES[self.attribute])
        return [[token for token in span if not token.is_space] for span in spans]
