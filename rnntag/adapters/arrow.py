"""Batches of rows of Apache Arrow, which Spark, Ray, Dask, Hugging Face datasets and Parquet share     (extra: arrow)

    for batch in tag_batches(pyarrow.parquet.ParquetFile("text.parquet").iter_batches(), "model"):
        ...                                         # the same rows, with the columns tags and error

A row has a list of tokens in ``column``. The columns of the model are added: ``tags``, or those that its corpus named
(``upos``, ``lemma``), with ``probabilities`` (``upos_probabilities``) where they are asked for. A row that is no
sentence gets null there and the reason in ``error``, which is null for the others, so that no row ends a job of
millions. Other columns pass through; those of the names of the new ones are replaced.

With ``raw``, a row has a text, and the segmenter in the model finds its sentences: ``words`` and all that is said of
them are then lists of sentences.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

try:
    import pyarrow as pa
    from threadpoolctl import ThreadpoolController
except ImportError as error:
    raise ImportError("pyarrow or threadpoolctl is not installed. Install them with pip install 'rnntag[arrow]'."
                      ) from error

from ..api import TAGGERS, load
from ..corpus import MAX_LINE_BYTES, MAX_SENTENCE_TOKENS, Column, Sentence
from ..errors import CorpusError, quote
from ..files import digest
from ..storage.modelfile import MANIFEST, read_manifest

Model = Any  # the folder of one, or a tagger
ERROR, WORDS = "error", "words"


def tag_batches(batches: Iterable[pa.RecordBatch], model: Model, column: str = "tokens",
                fields: Collection[str] | None = None, probabilities: bool = False,
                raw: bool = False) -> Iterator[pa.RecordBatch]:
    """Each record batch (or table) with the columns of ``BatchTagger``."""
    return map(BatchTagger(model, column, fields, probabilities, raw), batches)


class BatchTagger:
    """A function from a batch of rows to the batch with columns added: of a record batch or a table, of a mapping
    from names to lists the new columns alone.

    model          a model folder, which each process that this is sent to loads once; or a tagger, which is sent
    column         the column with the lists of tokens, or the texts
    fields         the columns of the model to fill (default: all)
    probabilities  add those of the values, too
    raw            rows are raw text, for the segmenter in the model

    Raises ModelError for what is no model, or for raw text has no segmenter, OptionError for fields that it does not
    have, CorpusError for a batch without ``column``.
    """

    def __init__(self, model: Model, column: str = "tokens", fields: Collection[str] | None = None,
                 probabilities: bool = False, raw: bool = False):
        self.model, self.column, self.probabilities, self.raw = model, column, probabilities, raw
        self.version = _version(model)  # so that who keeps answers by what they were made with sees another model
        self.fields: tuple[str, ...] = self.tagger.chosen(fields)
        if raw:
            self.tagger.segmenter()  # what is wrong shows here, once

    @property
    def tagger(self) -> Any:
        """The tagger, loaded if need be."""
        return _loaded(str(self.model), self.version) if self.version else self.model

    @property
    def types(self) -> dict[str, pa.DataType]:
        """The names and types of the columns that are added."""
        names = [name for field in self.fields for name in _names(field)[:1 + self.probabilities]]
        types = {name: pa.list_(pa.float32() if name.endswith("probabilities") else pa.string())
                 for name in ([WORDS] if self.raw else []) + names}
        return {name: pa.list_(type) if self.raw else type for name, type in types.items()} | {ERROR: pa.string()}

    def __call__(self, batch: Any) -> Any:
        names = list(batch) if isinstance(batch, Mapping) else batch.schema.names
        if self.column not in names:
            raise CorpusError(f"no column {quote(self.column)}", f"there are {', '.join(map(str, names))}")
        if isinstance(batch, Mapping):
            return self._answers(list(batch[self.column]))
        answers = self._answers(_rows(batch.column(self.column)))
        kept = {name: batch.column(name) for name in names if name not in answers}
        return type(batch).from_pydict(kept | {
            name: pa.array(answers[name], type) for name, type in self.types.items()})

    def _answers(self, rows: list[Any]) -> dict[str, list[Any]]:
        """The new columns of some rows."""
        answers: dict[str, list[Any]] = {name: [None] * len(rows) for name in self.types}
        answers[ERROR] = list(map(_no_text if self.raw else _error, rows))
        good = [i for i, error in enumerate(answers[ERROR]) if error is None]
        with _blas().limit(limits=1, user_api="blas"):
            if self.raw:
                found = list(self.tagger.segmenter().read_each(rows[i] for i in good))
            else:
                found = [[rows[i]] for i in good]
            filled = self.tagger.annotate(chain.from_iterable(found), self.fields, int(self.probabilities))
            for i, sentences in zip(good, found):
                columns = [self._columns(sentence) for sentence in islice(filled, len(sentences))]
                for name in answers.keys() - {ERROR}:
                    values = [own[name] for own in columns]
                    answers[name][i] = values if self.raw else values[0]
        return answers

    def _columns(self, sentence: Sentence) -> dict[str, Any]:
        """The new columns of one sentence."""
        columns: dict[str, Any] = {WORDS: sentence.words}
        for field, column in sentence.columns.items():
            columns.update(zip(_names(field), (column.values, _probabilities(column))))
        return columns


def _names(field: str) -> tuple[str, str]:
    """The columns of a field of the model."""
    return (field, f"{field}_probabilities") if field else ("tags", "probabilities")


def _probabilities(column: Column) -> list[float] | None:
    return None if column.best is None else [best[0][1] for best in column.best]


def _rows(column: Any) -> list[Any]:
    """The values of a column; what is not UTF-8, which Arrow does not look at, as an exception."""
    try:
        return column.to_pylist()
    except UnicodeDecodeError:
        return list(map(_value, column))


def _value(value: Any) -> Any:
    try:
        return value.as_py()
    except UnicodeDecodeError as error:
        return error


def _no_text(row: Any) -> str | None:
    """Why a row is no text."""
    if isinstance(row, UnicodeDecodeError):
        return "a text that is not UTF-8"
    if not isinstance(row, str):
        return f"{quote(row) if row is not None else 'null'}; a text is wanted"
    return None


def _error(row: Any) -> str | None:
    """Why a row is no sentence."""
    if isinstance(row, UnicodeDecodeError):
        return "a token that is not UTF-8"
    if not isinstance(row, (list, tuple)):
        return f"{quote(row) if row is not None else 'null'}; a list of tokens is wanted"
    if not row:
        return "no tokens"
    for i, token in enumerate(row, 1):
        if not isinstance(token, str) or not token:
            return f"token {i} is {'null' if token is None else quote(token)}"
    if len(row) > MAX_SENTENCE_TOKENS or sum(map(len, row)) > MAX_LINE_BYTES:
        return (f"{len(row):,} tokens with {sum(map(len, row)):,} characters; a sentence has at most "
                f"{MAX_SENTENCE_TOKENS:,} and {MAX_LINE_BYTES:,}")
    return None


# ------------------------------------------------------------------ once a process


def _version(model: Model) -> str:
    """The digest of a model folder's manifest; "" for a tagger."""
    if not isinstance(model, (str, Path)):
        return ""
    read_manifest(model)
    return digest(Path(model) / MANIFEST) or ""


@lru_cache(maxsize=4)
def _loaded(folder: str, version: str) -> Any:
    return load(folder, TAGGERS)


@lru_cache(maxsize=1)
def _blas() -> ThreadpoolController:
    """The threads of numpy: one is fastest with matrices this small, and processes must not take each other's."""
    return ThreadpoolController()
