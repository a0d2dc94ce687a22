"""grade-pos without installation: ``python3 scripts/grade_pos.py -h``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rnntag.cli import run  # noqa: E402

if __name__ == "__main__":
    run("grade_pos")
