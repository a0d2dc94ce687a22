"""test-hmm without installation: ``python3 scripts/test_hmm.py -h``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rnntag.cli import run  # noqa: E402

if __name__ == "__main__":
    run("test_hmm")
