"""Data sets of Hugging Face's ``datasets`` as corpora; BatchTagger of arrow.py tags them

    data = load_dataset("parquet", data_dir="corpus")
    tagger = rnntag.train(sentences(data["train"], tags="upos"))
    tagged = data["test"].map(BatchTagger(tagger), batched=True)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..corpus import Sentence
from ..errors import CorpusError, quote


def sentences(dataset: Iterable[Any], tokens: str = "tokens", tags: str = "tags") -> Iterator[Sentence]:
    """The rows of a data set as sentences, from the columns of these names. Tags that are kept as numbers of a
    ClassLabel are given by name.

    Raises CorpusError for a data set without these columns, and for a row that is no tagged sentence.
    """
    label: Any = (getattr(dataset, "features", None) or {}).get(tags)
    while hasattr(label, "feature"):  # of the elements of a list
        label = label.feature
    names: list[str] | None = getattr(label, "names", None)
    for number, row in enumerate(dataset, 1):
        if tokens not in row or tags not in row:
            raise CorpusError(f"no column {quote(tags if tokens in row else tokens)}",
                              f"there are {', '.join(row)}", place="dataset")
        words, values = row[tokens], row[tags]
        if not isinstance(words, list) or not isinstance(values, list) or len(words) != len(values):
            raise CorpusError(f"tokens {quote(words)}, tags {quote(values)}", "there is a list of each, as long as "
                              "the other", place=f"row {number}")
        if names is not None:
            values = ["" if value is None or value < 0 else names[value] for value in values]
        if not all(isinstance(value, str) and value for value in values):
            wrong = next(value for value in values if not isinstance(value, str) or not value)
            raise CorpusError(f"the tag {quote(wrong)}", "a tag is text, or the number of a name (ClassLabel)",
                              place=f"row {number}")
        yield Sentence(words, values, number)
