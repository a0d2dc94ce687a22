"""A pool of processes that end with the process that started them, however that ends."""

from __future__ import annotations

import contextlib
import functools
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

    A process is started when there is work for it, by a thread of this process that from then on hands it a
    task and waits for the answer. They end with the ``with`` block, with the pool, and with this process.

    ProcessPoolExecutor does not do: when this process is killed, its semaphores are reported as leaked, and when
    its processes are killed while tasks are being cancelled, its shutdown may wait for ever (Python 3.11).
    """

    def __init__(self, jobs: int, what: str, make: Callable[..., Any], *given: Any):
        self.jobs, self._what, self._first = jobs, what, (make, given)
        self._threads = ThreadPoolExecutor(jobs, initializer=_leave_signals_to_others)
        self._local = threading.local()
        self._processes: list[BaseProcess] = []
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

    def map(self, do: Callable[[Any, Any], Any], tasks: Iterable[Any], ahead: int) -> Iterator[Any]:
        """``do(made, task)`` for each task, in order; at most ``ahead`` tasks are taken before an answer is given.

        Raises what ``do`` raises, and RnntagError when a process dies.
        """
        waiting: deque[Future[Any]] = deque()
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
            self._local.connection = self._start()
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

    def _start(self) -> Connection:
        """A new process, as the connection to it."""
        context = multiprocessing.get_context("spawn")  # alike on all systems; BLAS threads are inherited
        here, there = context.Pipe()
        with there:
            process = context.Process(target=_serve, args=(there,))
            process.start()
        self._processes.append(process)
        if self._closed:  # meanwhile, by another thread, which may not have seen this one
            process.kill()
        with contextlib.suppress(OSError):  # of one that has died; asking it will tell
            here.send(self._first)
        return here


def _leave_signals_to_others() -> None:
    """Processes inherit this from the thread that starts them: what a terminal sends to all, this process handles."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})


def _serve(connection: Connection) -> None:
    """Do tasks until the other end of the connection is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for systems where it could not be blocked
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, OSError):
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
