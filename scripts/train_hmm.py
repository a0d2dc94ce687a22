"""train-hmm without installation: ``python3 scripts/train_hmm.py -h``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rnntag.cli.train_hmm import main  # noqa: E402

if __name__ == "__main__":
    main()
