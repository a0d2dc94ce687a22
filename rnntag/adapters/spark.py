"""Tagging a data frame of Apache Spark     (extra: spark)

    frame = spark.read.parquet("text")                  # a column tokens: array<string>
    tag(frame, "model").write.parquet("tagged")         # the same rows, with the columns tags and error

The columns are those of arrow.py. The workers need Python with rnntag, pyarrow, threadpoolctl and pandas; the wheel
of rnntag, which is pure Python, can travel with the job (``--py-files``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

try:
    from pyspark.sql import DataFrame
    from pyspark.sql.pandas.types import from_arrow_type
    from pyspark.sql.types import StructField, StructType
except ImportError as error:
    raise ImportError("PySpark is not installed. Install it with pip install 'rnntag[spark]'; it also needs Java."
                      ) from error

from ..errors import CorpusError, OptionError, quote
from .arrow import BatchTagger, Model, tag_batches


def tag(dataframe: DataFrame, model: Model, column: str = "tokens", fields: Collection[str] | None = None,
        probabilities: bool = False, raw: bool = False, broadcast: bool = True) -> DataFrame:
    """``dataframe`` with the columns that ``BatchTagger`` adds; the arguments are its.

    broadcast   send the model to each worker once, as a broadcast variable. Without, ``model`` is a folder that all
                workers see under this path; so it has to be with Spark Connect

    Raises ModelError, OptionError and CorpusError before a job begins.
    """
    tagger = BatchTagger(model, column, fields, probabilities, raw)
    types = {field.name: field.dataType.simpleString() for field in dataframe.schema}
    wanted, what = ("string", "a text") if raw else ("array<string>", "the tokens of a sentence")
    if types.get(column) != wanted:
        found = f"column {quote(column)} is {types[column]}" if column in types else (
            f"no column {quote(column)} among {', '.join(types)}")
        raise CorpusError(found, f"it is {wanted}, {what}", place="dataframe")
    if broadcast:
        loaded = dataframe.sparkSession.sparkContext.broadcast(tagger.tagger)
    elif not isinstance(model, (str, Path)):
        raise OptionError(quote(model), "without a broadcast it is a folder that all workers see", place="model")

    def run(batches: Iterator[Any]) -> Iterator[Any]:
        return tag_batches(batches, loaded.value if broadcast else model, column, fields, probabilities,
                           raw)

    kept = [field for field in dataframe.schema if field.name not in tagger.types]
    added = [StructField(name, from_arrow_type(type)) for name, type in tagger.types.items()]
    return dataframe.mapInArrow(run, StructType(kept + added))
