"""How long one line takes through ``test-rnn --stream``: written, tagged, read back, before the next is written.

    python scripts/latency.py MODEL TEXT [LINES]

TEXT has a tokenised sentence a line. The first answer, for which the program starts and the model is loaded, is
told apart. Times are wall-clock, both pipes and their waiting included.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

import measure


def main(model: str, text: str, count: str = "5000") -> None:
    """Print start, median and the slow end of the latencies."""
    with open(text, "rb") as stream:
        lines = [line for line, _ in zip((each for each in stream if each.strip()), range(int(count)))]
    start = time.perf_counter()
    program = subprocess.Popen([sys.executable, "-m", "rnntag", "test-rnn", Path(model).absolute(), "--stream",
                                "--format", "tokens"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                               cwd=measure.ROOT)
    times = []
    with program:
        for line in lines:
            program.stdin.write(line.rstrip(b"\n") + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                answer += program.stdout.read(1 << 16) or sys.exit("test-rnn ended early")
            times.append(time.perf_counter() - start)
            start = time.perf_counter()
        program.stdin.close()
    first, *others = times
    ranked = sorted(others)
    words = statistics.mean(line.count(b" ") + 1 for line in lines)
    print(f"{len(others):,} lines of {words:.1f} tokens on average")
    print(f"start to first answer {first:.2f} s; then median {1000 * statistics.median(ranked):.2f} ms, "
          f"90 % {1000 * ranked[int(0.9 * len(ranked))]:.2f} ms, "
          f"99 % {1000 * ranked[int(0.99 * len(ranked))]:.2f} ms")


if __name__ == "__main__":
    main(*sys.argv[1:])
