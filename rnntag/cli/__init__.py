"""The command line: one file a command. A command parses, calls one library function, reports.

Matrices are small here: a second BLAS thread costs more than it brings, and makes results depend
on the machine. One thread is set before numpy is imported, unless the user has set a number.
"""

import os

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS",
                    "VECLIB_MAXIMUM_THREADS")

for _variable in THREAD_VARIABLES:
    os.environ.setdefault(_variable, "1")
