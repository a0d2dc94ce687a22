"""Tagging a Parquet file into another one: the rows of the first, with columns added     (extra: arrow)"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..corpus import Layout
from ..errors import CorpusError, OptionError
from ..files import STANDARD, open_output, reporting
from .common import refuse

SUFFIX = ".parquet"
ROWS = 4_096  # held at once
TEXT_ONLY = ("format", "separator", "column")  # options that say how text is to be read
NO_PLACE = ("n_best", "partial", "output_format", "stream", "raw", "segmenter", "lines", "presegmented", "offsets")


def is_parquet(path: str | Path) -> bool:
    """Does its name say so?"""
    return str(path).lower().endswith(SUFFIX)


def tag_parquet(tagger: Any, source: str | Path, output: str | Path, *, layout: Layout = Layout(),
                fields: Sequence[str] | None = None, best: int = 0, force: bool = False,
                **_text: Any) -> tuple[int, int]:
    """Tag the column ``tokens`` of a Parquet file; returns the number of sentences and of tokens.

    The columns that are added are those of ``adapters.arrow.BatchTagger``, for ``fields``. A row that cannot be
    tagged is an error, unless such are skipped and counted (``layout``).

    Raises OptionError for options that Parquet has no place for, CorpusError for what is wrong with the file.
    """
    refuse("with Parquet", *NO_PLACE)
    if str(output) == STANDARD:
        raise OptionError("standard output", "Parquet is no text", "Name a file.", "--output")
    try:
        import pyarrow
        from pyarrow import compute, parquet

        from ..adapters.arrow import BatchTagger
    except ImportError as error:
        raise OptionError(f"{source} is Parquet, which needs pyarrow",
                          hint="Install it with pip install 'rnntag[arrow]'.") from error

    sentences = tokens = 0
    with reporting(source, "read"), open(source, "rb") as stream:
        try:
            table = parquet.ParquetFile(stream)
            tagged = BatchTagger(tagger, fields=fields, probabilities=bool(best))
            schema, first = tagged(table.schema_arrow.empty_table()).schema, next(iter(tagged.types))
        except pyarrow.ArrowException as error:
            raise _damaged(source, error) from None
        except CorpusError as error:
            error.place = str(source)
            raise
        with open_output(output, force=force) as target, parquet.ParquetWriter(target, schema) as writer:
            for batch in map(tagged, _batches(table, source)):
                for i, reason in enumerate(batch.column("error").to_pylist(), sentences + 1):
                    if reason is not None:
                        wrong = CorpusError(reason, place=f"{source}:row {i}")
                        if layout.skipped is None:
                            raise wrong
                        layout.skipped.add(wrong)
                writer.write_batch(batch)
                sentences += batch.num_rows
                tokens += compute.sum(compute.list_value_length(batch.column(first))).as_py() or 0
    return sentences, tokens


def _batches(table: Any, source: str | Path) -> Iterator[Any]:
    import pyarrow
    try:
        yield from table.iter_batches(ROWS)
    except (pyarrow.ArrowException, OSError) as error:
        raise _damaged(source, error) from None


def _damaged(source: str | Path, error: Exception) -> CorpusError:
    return CorpusError(f"it cannot be read as Parquet ({' '.join(str(error).split()).rstrip('.')})",
                       hint="Is it damaged, or another format?", place=source)
