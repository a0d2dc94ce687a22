"""The accuracy of columns is that of the UD evaluation (udtools)."""

import io

import numpy as np
import pytest

from rnntag.corpus import Column, Sentence, read
from rnntag.corpus.columns import CELLS
from rnntag.evaluation import accuracy, pair, together

udeval = pytest.importorskip("udtools.udeval", reason="udtools is not installed; pip install 'rnntag[test]'")
NAMES = {"upos": "UPOS", "xpos": "XPOS", "feats": "UFeats", "lemma": "Lemmas", "alltags": "AllTags"}


def universal(feats):
    """Those features that the UD evaluation looks at, which are not all."""
    kept = [part for part in feats.split("|") if part.split("=")[0] in udeval.UNIVERSAL_FEATURES]
    return "|".join(sorted(kept)) or "_"


def disturbed(rows, rng):
    """The rows of words with a tenth of the cells of each column from other words."""
    rows = [row.copy() for row in rows]
    for cell in CELLS.values():
        for i in np.flatnonzero(rng.random(len(rows)) < 0.1):
            rows[i][cell] = rows[rng.integers(len(rows))][cell]
    return rows


def columns(text):
    """Sentences as they are read, their features universal."""
    sentences = []
    for sentence in read(text, "conllu", field=list(NAMES)[:4], want="some"):
        if "feats" in sentence.columns:
            sentence.columns["feats"] = Column([universal(value) for value in sentence.columns["feats"].values])
        sentences.append(Sentence(sentence.words, sentence.columns, sentence.line))
    return sentences


@pytest.mark.parametrize("name", ["ewt/dev", "ud/tr_imst-dev", "ud/hu_szeged-dev"])
def test_accuracies_are_those_of_the_ud_evaluation(corpora, write, name):
    path = corpora / f"{name}.conllu"
    if not path.exists():
        pytest.skip(f"no {path}")
    lines = path.read_text("utf-8").split("\n")
    where = [i for i, line in enumerate(lines) if line[:1].isdigit() and line.split("\t")[0].isdigit()]
    answer = lines.copy()
    for i, row in zip(where, disturbed([lines[i].split("\t") for i in where], np.random.default_rng(1))):
        answer[i] = "\t".join(row)
    gold, given = "\n".join(lines), "\n".join(answer)
    theirs = udeval.evaluate(*(udeval.load_conllu(io.StringIO(text), str(path), {}) for text in (gold, given)))
    right, other = (columns(write(place, text.encode())) for place, text in (("gold", gold), ("given", given)))
    ours = {column: list(pair(right, other, field=column)) for column in list(NAMES)[:4]
            if any(column in sentence.columns for sentence in right)}
    ours["alltags"] = list(together([ours[column] for column in ("upos", "xpos", "feats") if column in ours]))
    for column, pairs in ours.items():
        left_out = sum(len(each.left_out) for each in pairs)  # in the UD evaluation a missing lemma is right,
        if column == "lemma" or not left_out and column in ("upos", "feats"):  # and a missing tag has to be missing
            score = accuracy(pairs)
            assert (score.correct + left_out, score.total + left_out) == (
                theirs[NAMES[column]].correct, theirs[NAMES[column]].gold_total), column
    if "xpos" in ours and not any(each.left_out for column in ("upos", "xpos") for each in ours[column]):
        for column in ("xpos", "alltags"):
            assert accuracy(ours[column]).correct == theirs[NAMES[column]].correct
