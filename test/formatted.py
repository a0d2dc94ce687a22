"""Sentences in vertical, conllu and jsonl, read from and written to strings."""

import io

import pytest

from rnntag.corpus import FORMATS, Column, Lines, Sentence
from rnntag.errors import CorpusError


def row(number, word, upos="_", xpos="_", feats="_", misc="_"):
    return f"{number}\t{word}\tlemma\t{upos}\t{xpos}\t{feats}\t0\troot\t_\t{misc}\n"


CONLLU = ("# newdoc id = a\n# text = Vámonos al mar_\n"
          + row("1-2", "Vámonos", misc="SpaceAfter=No") + row(1, "Vamos", "VERB", "V", "Mood=Imp|Number=Plur")
          + row(2, "nos", "PRON", "P") + row("2.1", "empty", "NOUN") + row("3-4", "al") + row(3, "a", "ADP", "E")
          + row(4, "el", "DET", "D") + row(5, "1 000", "NUM", "N", "NumForm=Digit", "Gloss=a b") + "\n"
          + "# a comment alone\n\n\n" + row(1, "_", "SYM", "S") + "\n")
VERTICAL = "a\tX\textra\t\nb\tY\n\n\nc d\tZ\n\n"


def sentences(text, format, skipped=None, **options):
    data = text if isinstance(text, bytes) else text.encode()
    return list(FORMATS[format](**options).read(Lines(io.BytesIO(data), "file", skipped)))


def back(found, format, **options):
    return "".join(map(FORMATS[format](**options).write, found))


def tagged(words, tags, line=0, name="upos"):
    return Sentence(words, {name: Column(tags)}, line)


def refusal(text, format, **options):
    with pytest.raises(CorpusError) as error:
        sentences(text, format, **options)
    return str(error.value)
