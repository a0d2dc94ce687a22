"""How fast a text is tagged in one process, in two, and by Spark and Ray with two workers each.

    python scripts/cluster.py --train wiki-en-train.norm_pos --raw raw.txt --tokens 5000000

The text is cut into Parquet files (and text files, for the first two lines of the table). Each contestant is a
process of its own, start to end, with what it starts. Seconds are on the clock: ``start`` until the engine is there,
``tagging`` for the rest. CPU seconds and memory are those of all its processes together, sampled from /proc every
quarter of a second; memory is the peak of the sum of their proportional set sizes. ``tags`` says whether they are
those of the first.

What is not installed is named and left out. Only for Linux.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import rnntag.cli  # noqa: E402, F401 - sets the number of BLAS threads before numpy is imported

import click  # noqa: E402

from rnntag.cli.common import Command  # noqa: E402
from rnntag.errors import OptionError  # noqa: E402

MARK = "RNNTAG_CLUSTER_BENCH"  # in the environment of a contestant and of all that it starts
FILES, EVERY = 32, 0.25
TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
LOCAL = {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_HOSTNAME": "localhost", "RAY_USAGE_STATS_ENABLED": "0",
         "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # all of them on this machine alone


def spark(folder: Path) -> float:
    """Tag with two workers of a core each; returns when they were there."""
    from pyspark.sql import SparkSession

    from rnntag.adapters.spark import tag
    builder = SparkSession.builder.master("local-cluster[2,1,1024]")
    for name, value in {"spark.ui.enabled": "false", "spark.log.level": "OFF", "spark.driver.memory": "1g",
                        "spark.executor.memory": "1g", "spark.driver.bindAddress": "127.0.0.1",
                        "spark.driver.host": "127.0.0.1", "spark.scheduler.minRegisteredResourcesRatio": "1",
                        "spark.sql.files.maxPartitionBytes": "4m"}.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    began = time.time()
    tag(session.read.parquet(str(folder / "parquet")), folder / "model").write.parquet(str(folder / "spark"))
    session.stop()
    return began


def ray(folder: Path) -> float:
    """The same."""
    import ray

    from rnntag.adapters.arrow import BatchTagger
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, object_store_memory=500_000_000)
    ray.data.DataContext.get_current().enable_progress_bars = False
    began = time.time()
    ray.data.read_parquet(str(folder / "parquet"), override_num_blocks=FILES).map_batches(
        BatchTagger, fn_constructor_args=[str(folder / "model")], batch_format="pyarrow", batch_size=4096,
        compute=ray.data.ActorPoolStrategy(size=2)).write_parquet(str(folder / "ray"))
    ray.shutdown()
    return began


ENGINES = {"spark": spark, "ray": ray}


def commands(folder: Path) -> dict[str, tuple[str, list[Any]]]:
    """Title, answers and command of each contestant."""
    tag = [sys.executable, ROOT / "test_rnn.py", folder / "model"]
    found = {}
    for source in ("text", "parquet"):
        for jobs in (1, 2):
            out = folder / f"{source}{jobs}"
            found[f"test-rnn, {source}, {jobs} process{'es' * (jobs > 1)}"] = str(out), [
                *tag, folder / source, "--output-dir", out, "--jobs", jobs]
    for name in ENGINES:
        found[f"{name.capitalize()}, 2 workers"] = str(folder / name), [
            sys.executable, __file__, "--engine", name, folder]
    return found


def measured(command: list[Any], mark: str) -> tuple[float, float, float, float]:
    """Seconds to start, seconds of tagging, CPU seconds, MB at most. Raises RuntimeError when it fails."""
    environment = {**os.environ, **LOCAL, "PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable, MARK: mark}
    cpu: dict[int, float] = {}
    peak, start = 0.0, time.time()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(list(map(str, command)), env=environment, stdout=subprocess.PIPE, stderr=errors,
                                   text=True)
        while process.poll() is None:
            sizes = 0.0
            for number, seconds, size in used(f"{MARK}={mark}".encode()):
                cpu[number] = max(seconds, cpu.get(number, 0.0))
                sizes += size
            peak = max(peak, sizes)
            time.sleep(EVERY)
        end = time.time()
        assert process.stdout is not None
        printed = process.stdout.read().split("began ")
        if process.returncode:
            errors.seek(0)
            raise RuntimeError(errors.read().decode("utf-8", "replace")[-2000:])
    began = float(printed[1]) if len(printed) > 1 else start
    return began - start, end - began, sum(cpu.values()), peak


def used(mark: bytes) -> Iterator[tuple[int, float, float]]:
    """Number, CPU seconds and MB of the processes that have ``mark`` in their environment."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark not in (place / "environ").read_bytes().split(b"\0"):
                continue
            values = (place / "stat").read_text().rpartition(")")[2].split()
            rollup = (place / "smaps_rollup").read_text()
        except OSError:  # it has ended
            continue
        size = int(rollup.split("Pss:")[1].split()[0]) / 1024
        yield int(place.name), (int(values[11]) + int(values[12])) / TICK, size


def digest(folder: Path) -> str:
    """The SHA-256 of all tags, in the order of the text."""
    from pyarrow import parquet
    total = hashlib.sha256()
    if list(folder.rglob("*.parquet")):
        table = parquet.read_table(folder, columns=["id", "tags"]).sort_by("id")
        lines: Any = (" ".join(tags) for batch in table.to_batches() for tags in batch.column("tags").to_pylist())
    else:
        lines = (line for path in sorted(folder.glob("*.tags")) for line in path.read_text("utf-8").split("\n")[:-1])
    for line in lines:
        total.update(line.encode() + b"\n")
    return total.hexdigest()


def prepare(folder: Path, train: str, raw: str, tokens: int) -> int:
    """The model and the text; returns its tokens."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise OptionError("pyarrow is not installed", "the text is written as Parquet",
                          "Install it with pip install 'rnntag[arrow]'.") from None
    import rnntag
    from rnntag.corpus import read
    rnntag.save(rnntag.train(train, epochs=2), folder / "model")
    rows, count = [], 0
    for sentence in cycle([sentence.words for sentence in read(raw, "tokens") if sentence.words]):
        if count >= tokens:
            break
        rows.append(sentence)
        count += len(sentence)
    each = -(-len(rows) // FILES)
    for kind in ("text", "parquet"):
        (folder / kind).mkdir()
    for i in range(FILES):
        part = list(islice(rows, i * each, (i + 1) * each))
        parquet.write_table(pa.table({"id": range(i * each, i * each + len(part)), "tokens": part}),
                            folder / "parquet" / f"{i:02}.parquet")
        (folder / "text" / f"{i:02}.tokens").write_text("".join(" ".join(row) + "\n" for row in part), "utf-8")
    return count


@click.command(cls=Command)
@click.argument("place", required=False, type=click.Path(path_type=Path))
@click.option("--engine", type=click.Choice(list(ENGINES)), help="Run this one in PLACE, for the measurement of it.")
@click.option("--train", default=str(ROOT / "data" / "sample-train.wordtag"), help="Tagged training corpus [sample].")
@click.option("--raw", default=str(ROOT / "data" / "sample-test.tokens"), help="Text to tag, repeated as need be "
              "[sample].")
@click.option("--tokens", type=click.IntRange(1), default=5_000_000, show_default=True, help="Tokens to tag.")
def main(place: Path | None, engine: str | None, train: str, raw: str, tokens: int) -> None:
    """Measure tagging in one process, in two, and by Spark and Ray."""
    if engine and place:
        click.echo(f"began {ENGINES[engine](place)}")
        return
    with tempfile.TemporaryDirectory(prefix="cluster-") as name:
        folder = Path(name)
        count = prepare(folder, train, raw, tokens)
        click.echo(f"{count:,} tokens, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n\n"
                   "| | start s | tagging s | tokens/s | CPU s | tokens/CPU s | peak MB | tags |\n"
                   "|---|---|---|---|---|---|---|---|")
        first = ""
        for title, (answers, command) in commands(folder).items():
            try:
                start, tagging, cpu, peak = measured(command, answers)
            except RuntimeError as error:
                click.echo(f"{title}: left out, {str(error).strip().splitlines()[-1]}", err=True)
                continue
            own = digest(Path(answers))
            shutil.rmtree(answers)
            first = first or own
            click.echo(f"| {title} | {start:.1f} | {tagging:.1f} | {count / tagging:,.0f} | {cpu:.1f} | "
                       f"{count / cpu:,.0f} | {peak:,.0f} | {'the same' if own == first else 'DIFFERENT'} |")


if __name__ == "__main__":
    main()
