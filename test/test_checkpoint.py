"""A run that is killed goes on where it was, and ends with the same bytes."""

import contextlib
import json
import os
import shutil
import signal
from functools import reduce
from operator import getitem

import numpy as np
import pytest
import resuming
from killing import SHORT, Run, fail_at, kill_at_random, operations, reference
from samples import THREE

from rnntag.errors import ModelError, RnntagError
from rnntag.models.options import Options
from rnntag.models.tagger import RNNTagger
from rnntag.storage.archive import sha256
from rnntag.training import checkpoint
from rnntag.training.checkpoint import STATE, Checkpoints
from rnntag.training.tagging import TaggingTask
from rnntag.training.trainer import Trainer

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
SMALL = {"embedding": 3, "hidden": 2, "epochs": 4, "batch_size": 1, "average": 0.6}
IDENTITY = {"options": {"epochs": 4}}


def trainer(**options):
    options = Options(**{**SMALL, **options})
    rng = np.random.default_rng(options.seed)
    return Trainer(TaggingTask(RNNTagger.create(THREE, options, rng), THREE, THREE[:2]), rng)


def checkpoints(tmp_path, identity=IDENTITY, **kwargs):
    return Checkpoints(tmp_path / "m", identity, **kwargs)


def stopped(tmp_path, updates):
    return resuming.stopped(trainer(), tmp_path, updates, IDENTITY)


# ------------------------------------------------------------------ the same bytes


@pytest.mark.parametrize("options", [
    {}, {"optimizer": "momentum", "average": 0.0, "cell": "elman"},
    {"optimizer": "sgd", "output": "crf", "batch_size": 2}, {"char_rnn": 2, "optimizer": "adagrad"},
    {"encoder": "cnn", "filters": 2, "dense": ("3",), "optimizer": "rmsprop"}, {"members": 2}],
    ids=["default", "momentum", "crf", "characters", "cnn", "committee"])
def test_a_run_stopped_after_any_update_ends_with_the_same_weights_and_log(tmp_path, options):
    updates = 4 * -(-3 // trainer(**options).options.batch_size)
    resuming.ends_the_same(lambda: trainer(**options), tmp_path, *range(1, updates + 1))
    assert os.listdir(tmp_path) == []


@posix
def test_trainings_killed_at_random_resume_to_the_same_bytes(tmp_path):
    found = kill_at_random(*reference(tmp_path), count=4, seed=3)
    assert found.total() >= 5 and found["ended: the same bytes"]


@posix
def test_a_training_killed_or_out_of_room_at_a_file_operation_resumes_to_the_same_bytes(tmp_path):
    """How many operations there are depends on the versions of Python and numpy. In the last third the
    model is written, moved into place, and the checkpoint removed."""
    run, wanted, _ = reference(tmp_path, more=SHORT)
    total = operations(run)
    for what, number in (("before", total // 3), ("after", total - 5), ("before", total - 1),
                         ("full", 4 * total // 9), ("full", 5 * total // 6)):
        said = fail_at(run, wanted, number, what)
        if what == "full":
            assert said.endswith("no space left on device. The training so far is kept: continue it with --resume.")


@posix
@pytest.mark.parametrize("command", ["train-lm", "train-classifier", "train-transducer", "train-segmenter"])
def test_every_training_killed_half_way_resumes_to_the_same_bytes(tmp_path, command):
    run, wanted, _ = reference(tmp_path, sentences=12, more=SHORT, command=command)
    assert fail_at(run, wanted, operations(run) // 2, "before") == "before"


@posix
def test_a_model_that_is_being_replaced_is_never_lost(tmp_path):
    run = Run(tmp_path, more=SHORT)
    run.finish()
    old, moments = run.result(), []
    for number in range(16, 30):  # around the two renames; which they are depends on the version of Python
        assert run.wrapped(number, "before", *run.arguments(30, "--force", "--seed", "2")).returncode < 0
        missing = not (tmp_path / "m").exists()
        moments.append(missing)
        if missing:
            said = run.start("test-rnn", "m").communicate()[1].decode()
            assert "m: no such folder" in said and ".old is one that was being replaced." in said
            assert "exists already" in run.start("train-rnn", "train", "m").communicate()[1].decode()
        found = {path.name: path.read_bytes() for path in (tmp_path / "m").iterdir()}
        for path in tmp_path.iterdir():
            if path.name not in ("m", "train", "dev"):
                shutil.rmtree(path)
        if found != old:
            break
    assert moments.count(True) == 1 and moments[-2:] == [True, False], "old, gone for a moment, new"
    assert found.keys() == old.keys() and found["weights.npz"] != old["weights.npz"]


# ------------------------------------------------------------------ one run a folder, nobody else's files


def test_the_last_good_checkpoint_is_kept_while_the_next_is_written(tmp_path, monkeypatch):
    stopped(tmp_path, 5)
    folder = tmp_path / "m.training"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    run = trainer()
    with pytest.raises(RnntagError, match="no space left") as error, checkpoints(tmp_path, resume=True) as place:
        place.restore(run)
        place.log.append(next(run.epochs()).to_dict())  # what is written next is not the same
        write = checkpoint.write_bytes

        def fail(path, data):
            if path.name == STATE:
                raise RnntagError("cannot write it: no space left on device", place=path)
            write(path, data)

        monkeypatch.setattr(checkpoint, "write_bytes", fail)
        place.save(run)
    assert str(error.value).endswith("The training so far is kept: continue it with --resume.")
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_a_second_run_on_the_folder_is_refused_whatever_the_model_is_called(tmp_path):
    with checkpoints(tmp_path):
        for name in ("m", "./m", "x/../m", "m/"):
            with pytest.raises(ModelError, match="another process is training there"):
                with Checkpoints(f"{tmp_path}/{name}", {}, force=True):
                    pass
    assert os.listdir(tmp_path) == []


def test_an_unfinished_training_is_continued_or_started_over_only_when_asked(tmp_path):
    stopped(tmp_path, 2)
    with pytest.raises(ModelError, match="unfinished training. Continue it with --resume, or start over"):
        with checkpoints(tmp_path):
            pass
    assert (tmp_path / "m.training" / STATE).exists()
    with checkpoints(tmp_path, force=True) as place:
        assert not place.restore(trainer())
    assert os.listdir(tmp_path) == []


def test_a_folder_with_other_files_in_it_is_left_alone(tmp_path):
    (tmp_path / "m.training").mkdir()
    (tmp_path / "m.training" / "thesis.txt").touch()
    with pytest.raises(ModelError, match="it has 'thesis.txt' in it; this folder is for checkpoints alone"):
        with checkpoints(tmp_path, force=True):
            pass
    assert os.listdir(tmp_path / "m.training") == ["thesis.txt"]


def test_what_a_killed_process_left_half_written_is_removed(tmp_path):
    stopped(tmp_path, 2)
    (tmp_path / "m.training" / ".state.json.abcdefgh.part").touch()
    (tmp_path / ".m.abcdefgh.part").mkdir()
    (tmp_path / ".m2.abcdefgh.part").mkdir()  # somebody else's
    resuming.rest(trainer(), tmp_path, IDENTITY)
    assert os.listdir(tmp_path) == [".m2.abcdefgh.part"]


# ------------------------------------------------------------------ a checkpoint from a stranger


def refusal(tmp_path, **options):
    with pytest.raises(ModelError) as error, checkpoints(tmp_path, resume=True) as place:
        place.restore(trainer(**options))
    message = str(error.value)
    assert message.startswith(str(tmp_path / "m.training")) and "\n" not in message and len(message) < 600
    assert message.endswith("tart over with --force.")
    return message


@pytest.fixture
def state(tmp_path):
    """A function that changes the values of a checkpoint."""
    stopped(tmp_path, 5)
    path = tmp_path / "m.training" / STATE

    def state(change, seal=True):
        values = json.loads(path.read_text())
        change(values)
        path.write_text(json.dumps(sealed(values) if seal else values))
    return state


def sealed(values):
    """A state with a checksum that fits, as a stranger would make it."""
    content = {name: value for name, value in values.items() if name != "sha256_of_state"}
    return {**content, "sha256_of_state": sha256(json.dumps(content).encode())}


def paths(values, *before):
    """The path of every value in nested objects."""
    for key, value in values.items():
        yield (*before, key)
        if isinstance(value, dict):
            yield from paths(value, *before, key)


@pytest.mark.parametrize("seal", [True, False])
def test_a_state_without_any_one_of_its_values_is_refused(tmp_path, state, seal):
    path = tmp_path / "m.training" / STATE
    whole = path.read_text()
    found = list(paths(json.loads(whole)))
    assert len(found) > 25 and ("sha256",) in found and ("trainer", "position", "loss") in found
    for *to, last in found:
        if not seal or last != "sha256_of_state":
            path.write_text(whole)
            state(lambda values: reduce(getitem, to, values).pop(last), seal)
            assert refusal(tmp_path), last


def test_a_state_with_any_value_in_any_place_is_refused_or_continued(tmp_path, state):
    path = tmp_path / "m.training" / STATE
    whole, run = path.read_text(), trainer()
    with checkpoints(tmp_path, resume=True) as place:
        for *to, last in [*paths(json.loads(whole)), *(("log", 0, name) for name in json.loads(whole)["log"][0])]:
            for value in (None, True, 10 ** 400, "\ud800", [[]], {"": 1.0}):
                path.write_text(whole)
                state(lambda values: reduce(getitem, to, values).update({last: value}))
                with contextlib.suppress(ModelError):
                    place.restore(run)


@pytest.mark.parametrize("where, value", [
    ("trainer position best_score", 0.25), ("trainer position loss", 0.5), ("trainer position plan", [[2], [1], [0]]),
    ("trainer random state state", 1), ("trainer updates", 6), ("log 0 loss", 0.5), ("more", 1)])
def test_a_state_that_was_edited_is_refused_though_a_run_could_have_it(tmp_path, state, where, value):
    *to, last = (int(key) if key.isdigit() else key for key in where.split())
    state(lambda values: reduce(getitem, to, values).update({last: value}), seal=False)
    assert f"{STATE}: its checksum is not that of what is in it; it was damaged or edited" in refusal(tmp_path)


@pytest.mark.parametrize("where, value", [
    ("position epoch", -1), ("position epoch", 5), ("position epoch", True), ("position epoch", 1.0),
    ("position epoch", 0), ("position plan", None), ("position plan", [[0], [1]]), ("position plan", [[0], [1], [1]]),
    ("position plan", [[0], [1], [3]]), ("position plan", [[0, 1], [2]]), ("position plan", [[0], [1], ["2"]]),
    ("position plan", [0, 1, 2]), ("position plan", 3), ("position batch", 4), ("position batch", -1),
    ("position loss", -1.0), ("position loss", "x"), ("position loss", 10 ** 400), ("position clipped", 7),
    ("position best_score", "1"), ("position stale", 9), ("position", {}), ("position more", 1),
    ("random bit_generator", "MT19937"), ("random state", {}), ("random state state", -1),
    ("random state inc", 2 ** 128), ("random has_uint32", 2), ("random uinteger", 2 ** 32), ("random", None),
    ("updates", -1), ("updates", 0.5), ("averaged", 99), ("averaging", 1), ("judged", False),
    ("best_is_last", None), ("more", 1)])
def test_values_that_no_run_could_have_are_refused(tmp_path, state, where, value):
    def change(values):
        *path, last = where.split()
        at = values["trainer"]
        for key in path:
            at = at[key]
        at[last] = value

    state(change)
    assert "a damaged checkpoint" in refusal(tmp_path)


@pytest.mark.parametrize("change, message", [
    (lambda v: v.update(log=[]), "damaged"), (lambda v: v.update(log=[[]]), "damaged"),
    (lambda v: v["log"][0].update(loss="x"), "damaged"), (lambda v: v["log"][0].update(epoch=2), "damaged"),
    (lambda v: v["log"][0].update(more=1), "damaged"), (lambda v: v.pop("log"), "damaged"),
    (lambda v: v.update(trainer=[]), "damaged"), (lambda v: v.update(identity=[]), "damaged"),
    (lambda v: v.update(arrays="../m/weights.npz"), "damaged"), (lambda v: v.update(arrays=["x"]), "damaged"),
    (lambda v: v.update(arrays="arrays-1.npz"), "arrays-1.npz: cannot read it: no such file"),
    (lambda v: v.update(sha256="0"), "its checksum is not the one in state.json"),
    (lambda v: v.update(sha256=None), "its checksum is not the one in state.json"),
    (lambda v: v.update(format_version=3), "a checkpoint of format '3'; this program continues 2"),
    (lambda v: v.update(format_version=True), "a checkpoint of format 'True'"),
    (lambda v: v.update(identity={"options": {"epochs": 5}}), "options epochs was '5'; it is '4' now"),
    (lambda v: v.update(identity={}), "options epochs was 'None'; it is '4' now")])
def test_a_state_that_does_not_fit_is_refused(tmp_path, state, change, message):
    state(change)
    assert message in refusal(tmp_path)


@pytest.mark.parametrize("data", [
    b"", b"{", b"[]", b"null", b'{"a":' * 20_000, b"\xff", b'{"log": NaN}', b"x" * 2_000_000,
    b'{"format_version": 2, "identity": ' + b'{"a":' * 400 + b"1" + b"}" * 401], ids=lambda data: repr(data[:20]))
def test_a_state_that_is_something_else_is_refused(tmp_path, state, data):
    (tmp_path / "m.training" / STATE).write_bytes(data)
    refusal(tmp_path)


@pytest.mark.parametrize("change", [lambda data: data[:-30], lambda data: b"", lambda data: data + bytes(99_999),
                                    lambda data: data.replace(b"params/output.b_o", b"params/output.b_x")])
def test_arrays_that_do_not_fit_are_refused_with_their_checksum_too(tmp_path, state, change):
    path = tmp_path / "m.training" / "arrays-0.npz"
    path.write_bytes(change(path.read_bytes()))
    message = refusal(tmp_path)
    assert "its checksum is not the one in state.json" in message or "the options make it at most" in message
    state(lambda values: values.update(sha256=sha256(path.read_bytes())))
    assert refusal(tmp_path).startswith(str(path))


@pytest.mark.parametrize("name", [STATE, "arrays-0.npz"])
@pytest.mark.parametrize("kind", ["folder", "fifo", "device", "dangling", "loop"])
@posix
def test_only_regular_files_are_read(tmp_path, state, name, kind):
    path = tmp_path / "m.training" / name
    path.unlink()
    {"folder": path.mkdir, "fifo": lambda: os.mkfifo(path), "device": lambda: path.symlink_to("/dev/zero"),
     "dangling": lambda: path.symlink_to("nothing"), "loop": lambda: path.symlink_to(name)}[kind]()
    assert any(text in refusal(tmp_path) for text in ("not a regular file", "cannot read it"))


def test_a_checkpoint_is_not_written_with_weights_that_are_not_finite(tmp_path):
    run = stopped(tmp_path, 5)
    with checkpoints(tmp_path, resume=True) as place:
        before = (tmp_path / "m.training" / STATE).read_bytes()
        run.task.params["output.b_o"][0] = np.inf
        place.save(run)
    assert (tmp_path / "m.training" / STATE).read_bytes() == before


@posix
@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_writes_a_checkpoint_and_says_how_to_go_on(tmp_path, number, status):
    run = Run(tmp_path, more=("--epochs", "2000", "--hidden", "3"))
    process = run.start(*run.arguments(30))
    for line in process.stderr:
        if line.startswith(b"epoch   3"):
            break
    process.send_signal(number)
    assert process.communicate(timeout=60)[1].decode().splitlines()[-1].endswith(
        "m.training: interrupted. Continue it with --resume.")
    assert process.returncode == status
    assert sorted(os.listdir(tmp_path / "m.training")) == ["arrays-0.npz", "lock", STATE]
    shutil.rmtree(tmp_path / "m.training")
