"""The command line: one file a command. A command parses, calls one library function, reports.

Matrices are small here: a second BLAS thread costs more than it brings, and makes results depend
on the machine. One thread is set before numpy is imported, unless the user has set a number.

May import: everything above.
"""

import os

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS",
                    "VECLIB_MAXIMUM_THREADS")

for _variable in THREAD_VARIABLES:
    os.environ.setdefault(_variable, "1")


def run(module: str, prog_name: str | None = None) -> None:
    """The command of a module of this package as the whole program.

    While modules are imported there is nothing to tidy up, and an interrupt ends the program at once;
    when the command begins (common.Command.invoke), it becomes an exception.
    """
    try:
        import signal
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, _end_at_once)
    except KeyboardInterrupt:
        _end_at_once()
    from importlib import import_module
    import_module(f".{module}", __name__).main(prog_name=prog_name)


def _end_at_once(*_signal: object) -> None:
    try:
        os.write(2, b"Error: interrupted\n")
    finally:
        os._exit(130)
