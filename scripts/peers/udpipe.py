"""UDPipe 1 by ufal.udpipe."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rnntag.corpus import Sentence

from .base import Each, Tags, shuffled


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """What compiled code writes to standard error meanwhile goes nowhere."""
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def udpipe(sentences: Sequence[Sentence], seed: int) -> Tags:
    """UDPipe 1 (MorphoDiTa) with its defaults, tagger alone."""
    from ufal import udpipe as library

    def written(words: Sequence[str], tags: Sequence[str]) -> Any:
        sentence = library.Sentence()
        for word, tag in zip(words, tags):
            token = sentence.addWord(word)
            token.lemma, token.upostag = word, tag
        return sentence

    none, error = library.Trainer.NONE, library.ProcessingError()
    corpus = [written(sentence.words, sentence.tags) for sentence in shuffled(sentences, seed)]
    with silenced():
        trained = library.Trainer.train("morphodita_parsito", corpus, [], none, "", none, error)
    if error.occurred():
        raise RuntimeError(error.message)
    with tempfile.TemporaryDirectory(prefix="peer-") as folder:
        Path(folder, "model").write_bytes(trained)
        model = library.Model.load(f"{folder}/model")

    def answer(words: Sequence[str]) -> list[str]:
        sentence = written(words, [""] * len(words))
        model.tag(sentence, library.Model.DEFAULT)
        return [sentence.words[i].upostag for i in range(1, len(words) + 1)]
    return Each(answer)
