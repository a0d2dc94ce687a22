"""Tag text: ``python test_rnn.py MODEL [INPUT]``, the same as the command test-rnn.

A command, not a test module: setup.cfg keeps pytest in test/.
"""

from rnntag.cli.test_rnn import main

if __name__ == "__main__":
    main(prog_name="test_rnn.py")
