"""Fuzzing and killing in numbers too large for CI: ``python scripts/fuzz.py WHAT COUNT [SEED]``.

WHAT is corpora, texts or models (mutated, then read, learnt from, segmented, loaded, tagged with), kills (trainings
killed at random moments and resumed) or operations (killed at, or with a full disk from, every COUNTth
of their file operations on). Prints how often each outcome came; stops at the first that must not be.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "test")]

import fuzzing  # noqa: E402  (these two are found only now)
import killing  # noqa: E402


def kills(count: int, seed: int, folder: Path) -> Counter:
    """Kill trainings ``count`` times at random."""
    run, wanted, seconds = killing.reference(folder)
    return killing.kill_at_random(run, wanted, seconds, count, seed)


def operations(count: int, seed: int, folder: Path) -> Counter:
    """Kill a training before and after, and fill its disk at, every ``count``th file operation."""
    run, wanted, _ = killing.reference(folder, more=killing.SHORT)
    last = killing.operations(run)
    return Counter(killing.fail_at(run, wanted, number, what) for what in ("before", "after", "full")
                   for number in range(1 + seed % count, last + 1, count))


if __name__ == "__main__":
    what = {"corpora": fuzzing.corpora, "texts": fuzzing.texts, "models": fuzzing.models, "kills": kills,
            "operations": operations}
    if len(sys.argv) not in (3, 4) or sys.argv[1] not in what:
        sys.exit(__doc__)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = what[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1, Path(folder))
    for name, number in found.most_common():
        print(f"{number:7,}  {name}")
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"{time.monotonic() - began:.0f} s, at most {peak / 1024:.0f} MB")
