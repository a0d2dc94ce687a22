"""A pool of processes that end with the process that started them, however that ends."""

from __future__ import annotations

import contextlib
import functools
import gc
import multiprocessing
import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from .errors import RnntagError


class Pool:
    """``jobs`` processes, each of which calls ``make(*given)`` once and does tasks with the result.

    what   the name of one of them in messages: "a training process"

    They are started by ``start``, or when there is work for them: as copies of this process, with ``given`` in their
    memory, where it has no other thread and the system can tell (Linux); otherwise as new ones, to which it is sent.
    From then on each has a thread of this process, which hands it a task and waits for the answer. They end with the
    ``with`` block, with the pool, and with this process.

    ProcessPoolExecutor does not do: when this process is killed, its semaphores are reported as leaked, and when
    its processes are killed while tasks are being cancelled, its shutdown may wait for ever (Python 3.11).
    """

    def __init__(self, jobs: int, what: str, make: Callable[..., Any], *given: Any):
        self.jobs, self._what, self._first = jobs, what, (make, given)
        self._threads = ThreadPoolExecutor(jobs, initializer=_leave_signals_to_others)
        self._local = threading.local()
        self._processes: list[BaseProcess] = []
        self._idle: deque[Connection] = deque()  # those that have no thread yet
        self._closed = False

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes, whatever they are doing."""
        self._closed = True
        for process in self._processes:
            process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.join()

    def start(self) -> None:
        """Make copies of this process now, while that can be done."""
        while _alone() and len(self._processes) < self.jobs:
            self._idle.append(self._start("fork"))

    def map(self, do: Callable[[Any, Any], Any], tasks: Iterable[Any], ahead: int) -> Iterator[Any]:
        """``do(made, task)`` for each task, in order; at most ``ahead`` tasks are taken before an answer is given.

        Raises what ``do`` raises, and RnntagError when a process dies.
        """
        waiting: deque[Future[Any]] = deque()
        self.start()
        try:
            for task in tasks:
                waiting.append(self._threads.submit(self._ask, do, task))
                if len(waiting) >= ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def _ask(self, do: Callable[[Any, Any], Any], task: Any) -> Any:
        """The answer of this thread's process."""
        if not hasattr(self._local, "connection"):
            self._local.connection = self._idle.pop() if self._idle else self._start("spawn")
        try:
            self._local.connection.send((do, task))
            answer, error, told = self._local.connection.recv()
        except (EOFError, OSError):
            del self._local.connection  # the next task gets a new one
            raise RnntagError(f"{self._what} died", hint="Is there enough memory? Try again with fewer "
                              "--jobs.", place="--jobs") from None
        if error is not None:
            raise error from RuntimeError(f"in {self._what}:\n{told}")
        return answer

    def _start(self, method: str) -> Connection:
        """A new process, as the connection to it."""
        context: Any = multiprocessing.get_context(method)
        here, there = context.Pipe()
        inherited = (here, *self._first) if method == "fork" else None
        with there, _signals_left_to_others():
            process = context.Process(target=_serve, args=(there, inherited))
            process.start()
        self._processes.append(process)
        if self._closed:  # meanwhile, by another thread, which may not have seen this one
            process.kill()
        if inherited is None:
            with contextlib.suppress(OSError):  # of one that has died; asking it will tell
                here.send(self._first)
        return here


def _alone() -> bool:
    """Has this process one thread, those of C libraries counted too? A copy of it would lack the others, and wait for
    ever for what they hold."""
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


@contextlib.contextmanager
def _signals_left_to_others() -> Iterator[None]:
    """A process that is started here does not get what a terminal sends to all: this process handles that."""
    before = _leave_signals_to_others()
    try:
        yield
    finally:
        if before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _leave_signals_to_others() -> Any:
    """Block them in this thread; returns what was blocked before."""
    if not hasattr(signal, "pthread_sigmask"):
        return None
    return signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})


def _serve(connection: Connection, inherited: tuple[Any, ...] | None) -> None:
    """Do tasks until the other end of the connection is closed.

    inherited   by a copy of the process that started it: that other end, and what is to be called to begin with
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for systems where it could not be blocked
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    gc.freeze()  # what is there now stays, and need not be looked at again and again
    with contextlib.suppress(EOFError, OSError):
        if inherited:
            other, make, given = inherited
            other.close()
        else:
            make, given = connection.recv()
        made = functools.cache(lambda: make(*given))
        while True:
            do, task = connection.recv()
            answer: tuple[Any, Exception | None, str]
            try:
                answer = do(made(), task), None, ""
            except Exception as error:
                answer = None, error, traceback.format_exc()
            connection.send(answer)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
