"""Tag text: ``python test_rnn.py MODEL [INPUT]``, the same as the command test-rnn.

A command, not a test module: setup.cfg keeps pytest in test/.
"""

from rnntag.cli import run

if __name__ == "__main__":
    run("test_rnn", "test_rnn.py")
