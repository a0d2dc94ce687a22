"""A pool of processes: answers in order, and no process that outlives what it works for."""

import multiprocessing
import operator
import os
import signal
import subprocess
import sys
import threading

import pytest
from conftest import ENVIRONMENT

from rnntag import processes
from rnntag.errors import RnntagError
from rnntag.processes import Pool

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


@pytest.fixture(autouse=True, params=[True, False], ids=["copied where it can be", "new"])
def copied(request, monkeypatch):
    if not request.param:
        monkeypatch.setattr(processes, "_alone", lambda: False)


def process(pool):
    """The one process of a pool that makes its number."""
    number, = pool.map(max, [0], 1)
    return next(child for child in multiprocessing.active_children() if child.pid == number)


def wait(_made, seconds):
    return threading.Event().wait(seconds)


def test_answers_come_in_the_order_of_the_tasks_and_few_are_taken_ahead():
    taken = []
    with Pool(2, "a process", int, "7") as pool:
        answers = pool.map(operator.mul, (taken.append(n) or n for n in range(100)), 5)
        assert next(answers) == 0 and len(taken) == 5
        assert list(answers) == [7 * n for n in range(1, 100)]


def test_processes_are_kept_from_one_map_to_the_next():
    with Pool(1, "a process", os.getpid) as pool:
        first, second = (set(pool.map(max, [0] * 5, 2)) for _ in range(2))
        assert first == second and len(first) == 1


def test_an_error_comes_through_with_its_traceback_and_the_pool_goes_on():
    with Pool(1, "a process", int, "7") as pool:
        with pytest.raises(ZeroDivisionError) as error:
            list(pool.map(operator.floordiv, [0], 1))
        assert "in a process:\nTraceback" in str(error.value.__cause__)
        assert list(pool.map(operator.floordiv, [2], 1)) == [3]


def test_an_error_in_making_what_tasks_need_is_that_of_a_task():
    with Pool(1, "a process", int, "seven") as pool, pytest.raises(ValueError, match="seven"):
        list(pool.map(operator.mul, [1], 1))


@posix
def test_the_death_of_a_process_is_told_and_the_next_task_gets_another():
    with Pool(1, "a process", os.getpid) as pool:
        with pytest.raises(RnntagError, match="a process died.*fewer --jobs"):
            list(pool.map(os.kill, [signal.SIGKILL], 1))
        assert list(pool.map(min, [0], 1)) == [0]


@posix
def test_what_a_terminal_sends_to_all_processes_is_left_to_the_first():
    with Pool(1, "a process", os.getpid) as pool:
        assert list(pool.map(os.kill, [signal.SIGINT, signal.SIGHUP], 2)) == [None, None]


@posix
def test_a_block_that_fails_waits_for_no_task():
    with pytest.raises(KeyboardInterrupt), Pool(1, "a process", os.getpid) as pool:
        child = process(pool)
        answers = pool.map(wait, [0, 60], 2)
        assert next(answers) is False  # and the other task is under way
        raise KeyboardInterrupt
    assert child.exitcode == -signal.SIGKILL


def test_processes_end_with_a_pool_that_nobody_needs_any_more():
    pool = Pool(1, "a process", os.getpid)
    child = process(pool)
    del pool
    child.join(20)
    assert child.exitcode == 0


@posix
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_processes_end_with_the_one_that_started_them(number):
    program = ("import threading\nfrom rnntag.processes import Pool\n"
               "with Pool(2, 'a process', threading.Event) as pool:\n"
               "    for answer in pool.map(threading.Event.wait, [0, 0, 60, 60], 3):\n"
               "        print(answer, flush=True)")
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=ENVIRONMENT) as process:
        assert process.stdout.readline() == b"False\n"
        process.send_signal(number)
        process.communicate(timeout=20)  # until no process has the pipe open any more
    assert process.returncode == -number


KINDS = """
import multiprocessing, threading
from rnntag.processes import Pool, _alone
end = threading.Event()
if THREAD:
    threading.Thread(target=end.wait).start()
for _ in range(0 if THREAD else 100):  # a thread of a C library may be about to end
    _alone() or end.wait(0.01)
with Pool(2, "a process", int, "7") as pool:
    found = list(pool.map(max, [8, 6], 2))
    print(found, *sorted(type(child).__name__ for child in multiprocessing.active_children()))
end.set()
"""
UNWRITTEN = """
import sys
from rnntag.processes import Pool
stream = open(sys.argv[1], "w")
stream.write("once")
with Pool(2, "a process", int, "7") as pool:
    print(*pool.map(max, [8, 6], 2))
del pool
stream.close()
"""
threads = pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="nothing tells how many threads there are")


def written(program, *arguments):
    return subprocess.run([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, check=True, text=True,
                          env=ENVIRONMENT).stdout


@threads
@pytest.mark.parametrize("thread, kinds", [(0, "ForkProcess ForkProcess"), (1, "SpawnProcess SpawnProcess")])
def test_a_process_is_copied_when_it_has_no_other_thread(thread, kinds):
    assert written(f"THREAD = {thread}{KINDS}") == f"[8, 7] {kinds}\n"


@threads
def test_processes_that_were_started_before_a_thread_are_copies():
    assert written("THREAD = 0" + KINDS.replace("    found", "    pool.start()\n    threading.Thread(target=end.wait)"
                                                ".start()\n    found")) == "[8, 7] ForkProcess ForkProcess\n"


@threads
def test_what_a_process_has_yet_to_write_its_copies_do_not(tmp_path):
    assert written(UNWRITTEN, tmp_path / "text") == "8 7\n"
    assert (tmp_path / "text").read_text() == "once"
