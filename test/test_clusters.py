"""Spark, Ray and Dask: real local clusters of two worker processes, on Parquet files, one killed in the middle."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest
from conftest import ENVIRONMENT
from invoking import invoke
from samples import TEXT, sentences

import rnntag
from rnntag.cli.test_rnn import main as RNN
from rnntag.errors import CorpusError, ModelError, OptionError

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra: arrow)")
from pyarrow import parquet  # noqa: E402

FILES, ROWS = 24, 400  # of the text: enough to be in the middle of it for a while


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model, a text of Parquet files, and what test-rnn says of it."""
    path = tmp_path_factory.mktemp("clusters")
    (path / "train.wordtag").write_bytes(TEXT)
    rnntag.save(rnntag.train(path / "train.wordtag", epochs=4, hidden=8, embedding=8), path / "m")
    rows = [sentence.words for sentence in sentences(FILES * ROWS - 2)] + [["a", ""], None]
    (path / "text").mkdir()
    for i in range(FILES):
        ids = range(i * ROWS, (i + 1) * ROWS)
        table = pa.table({"id": ids, "tokens": [rows[k] for k in ids]})
        parquet.write_table(table, path / "text" / f"{i:02}.parquet")
    (path / "text.tokens").write_text("".join(" ".join(row) + "\n" for row in rows[:-2]), "utf-8")
    invoke(RNN, path / "m", path / "text.tokens", "-o", path / "text.tags")
    return path


def check(folder, rows):
    """The rows, in any order, are all rows of the text with the tags of test-rnn."""
    rows = sorted(rows, key=lambda row: row["id"])
    assert [row["id"] for row in rows] == list(range(FILES * ROWS))
    assert [row["error"] for row in rows[-2:]] == ["token 2 is ''", "null; a list of tokens is wanted"]
    answers = (folder / "text.tags").read_text("utf-8").splitlines()
    assert [" ".join(row["tags"]) for row in rows[:-2]] == answers
    assert [row["tags"] for row in rows[-2:]] == [None, None] and {row["error"] for row in rows[:-2]} == {None}


def processes(pattern):
    """The numbers of the processes whose command line has this pattern."""
    shown = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, text=True, check=True).stdout
    return [int(line.split(None, 1)[0]) for line in shown.splitlines() if re.search(pattern, line)]


def test_a_missing_library_is_named_with_its_extra():
    program = ("import sys; sys.modules['pyspark'] = None\n"
               "try:\n import rnntag.adapters.spark\nexcept ImportError as error: print(error)")
    result = subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, timeout=60)
    assert b"pip install 'rnntag[spark]'" in result.stdout


# ------------------------------------------------------------------ Spark


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    pytest.importorskip("pyspark", reason="PySpark is not installed (extra: spark)")
    if shutil.which("java") is None:
        pytest.skip("no Java on this system: Spark needs it")
    from pyspark.sql import SparkSession

    work = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"PYSPARK_PYTHON": sys.executable, "PYTHONPATH": ENVIRONMENT["PYTHONPATH"],
                            "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_HOSTNAME": "localhost",
                            "SPARK_WORKER_DIR": str(work)}.items():
            patch.setenv(name, value)
        builder = SparkSession.builder.master("local-cluster[2,1,600]")  # two workers, of a core and 600 MB each
        for name, value in {"spark.ui.enabled": "false", "spark.driver.memory": "600m", "spark.log.level": "OFF",
                            "spark.executor.memory": "600m", "spark.driver.bindAddress": "127.0.0.1",
                            "spark.driver.host": "127.0.0.1", "spark.sql.shuffle.partitions": "2",
                            "spark.sql.files.maxPartitionBytes": "4m",  # what opening a file counts: a task each
                            "spark.local.dir": str(work), "spark.sql.warehouse.dir": str(work)}.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        yield session
        session.stop()


@pytest.fixture
def frame(spark, folder):
    return spark.read.parquet(str(folder / "text"))


@pytest.mark.parametrize("broadcast", [True, False])
def test_spark(frame, folder, tmp_path, broadcast):
    from rnntag.adapters.spark import tag

    tag(frame, folder / "m", broadcast=broadcast).write.parquet(str(tmp_path / "out"))
    check(folder, parquet.read_table(tmp_path / "out").to_pylist())


def test_spark_has_the_columns_of_the_arrow_adapter(frame, folder):
    from rnntag.adapters.arrow import BatchTagger
    from rnntag.adapters.spark import tag

    tagged = tag(frame, rnntag.load(folder / "m"), probabilities=True)
    assert tagged.dtypes == [("id", "bigint"), ("tokens", "array<string>"), ("tags", "array<string>"),
                             ("probabilities", "array<float>"), ("error", "string")]
    (row,) = tagged.where("id = 7").collect()
    given = parquet.read_table(folder / "text" / "00.parquet").slice(7, 1)
    (other,) = BatchTagger(folder / "m", probabilities=True)(given).to_pylist()
    assert row["tags"] == other["tags"] and row["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)


def test_spark_loses_nothing_when_a_worker_is_killed(spark, frame, folder):
    from rnntag.adapters.spark import tag

    tagged, status, done = tag(frame, folder / "m"), spark.sparkContext.statusTracker(), threading.Event()
    victims = processes(rf"CoarseGrainedExecutorBackend .*{spark.sparkContext.applicationId}")
    assert len(victims) == 2
    killed = []

    def kill():
        while not done.is_set() and not killed:
            stages = filter(None, map(status.getStageInfo, status.getActiveStageIds()))
            if any(stage.numTasks == FILES and 2 <= stage.numCompletedTasks < FILES - 2 for stage in stages):
                os.kill(victims[0], signal.SIGKILL)
                killed.append(victims[0])

    thread = threading.Thread(target=kill)
    thread.start()
    rows = tagged.collect()
    done.set()
    thread.join()
    assert killed and killed[0] not in processes("CoarseGrainedExecutorBackend")
    check(folder, rows)


def test_what_is_wrong_with_a_data_frame_is_said_before_the_job(frame, folder, tmp_path):
    from rnntag.adapters.spark import tag

    with pytest.raises(CorpusError, match="no column 'words' among id, tokens"):
        tag(frame, folder / "m", "words")
    with pytest.raises(CorpusError, match="column 'id' is bigint; it is array<string>"):
        tag(frame, folder / "m", "id")
    with pytest.raises(ModelError, match="no such folder"):
        tag(frame, tmp_path / "gone")
    with pytest.raises(OptionError, match="'lemma'"):
        tag(frame, folder / "m", fields=["lemma"])
    with pytest.raises(OptionError, match="a folder that all workers see"):
        tag(frame, rnntag.load(folder / "m"), broadcast=False)


# ------------------------------------------------------------------ Ray


@pytest.fixture(scope="module")
def ray_data():
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # read when it is imported: on the loopback address alone
    ray = pytest.importorskip("ray", reason="Ray is not installed (extra: ray)")
    pytest.importorskip("ray.data", reason="Ray Data is not installed (extra: ray)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", ENVIRONMENT["PYTHONPATH"])
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, object_store_memory=150_000_000)
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars, context.wait_for_min_actors_s = False, 120
        yield ray.data
        ray.shutdown()


@pytest.mark.parametrize("kill", [False, True])
def test_ray(ray_data, folder, tmp_path, kill):
    from rnntag.adapters.arrow import BatchTagger

    class Slow(BatchTagger):
        """It tells the number of its process, and takes its time: a worker can be killed in the middle."""

        def __init__(self, *args):
            super().__init__(*args)
            (tmp_path / str(os.getpid())).touch()

        def __call__(self, batch):
            time.sleep(0.1)
            return super().__call__(batch)

    tagged = ray_data.read_parquet(str(folder / "text"), override_num_blocks=FILES).map_batches(
        Slow if kill else BatchTagger, fn_constructor_args=[str(folder / "m")], batch_format="pyarrow",
        batch_size=100, compute=ray_data.ActorPoolStrategy(size=2))

    def kill_one():
        while len(os.listdir(tmp_path)) < 2:
            time.sleep(0.01)
        time.sleep(0.5)
        os.kill(int(os.listdir(tmp_path)[0]), signal.SIGKILL)

    if kill:
        threading.Thread(target=kill_one, daemon=True).start()
    rows = [row for table in tagged.iter_batches(batch_format="pyarrow") for row in table.to_pylist()]
    assert len(os.listdir(tmp_path)) == 3 * kill  # another took its place
    check(folder, rows)


# ------------------------------------------------------------------ Dask


@pytest.mark.parametrize("kill", [False, True])
def test_dask(folder, tmp_path, kill):
    dd = pytest.importorskip("dask.dataframe", reason="Dask is not installed")
    from dask.distributed import Client, LocalCluster
    from pyarrow.dataset import dataset

    from rnntag.adapters.arrow import BatchTagger

    tagger = BatchTagger(folder / "m")

    def tagged(part):
        return tagger(pa.Table.from_pandas(part, preserve_index=False)).to_pandas()

    with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster, \
            Client(cluster) as client:
        frame = dd.read_parquet(folder / "text", split_row_groups=True)
        numbers = list(client.run(os.getpid).values())
        schema = tagger(dataset(folder / "text").schema.empty_table()).schema
        future = client.compute(frame.map_partitions(tagged, meta=schema.empty_table().to_pandas()).to_parquet(
            tmp_path / "out", schema=schema, write_index=False, compute=False))
        if kill:
            while not any((tmp_path / "out").glob("*.parquet")) and not future.done():
                time.sleep(0.005)
            os.kill(numbers[0], signal.SIGKILL)
        future.result()
        assert (set(client.run(os.getpid).values()) != set(numbers)) is kill
    check(folder, parquet.read_table(tmp_path / "out").to_pylist())
