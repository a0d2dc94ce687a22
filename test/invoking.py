"""Running commands in this process, for tests."""

import json
from pathlib import Path

from click.testing import CliRunner

from rnntag.cli.train_rnn import main as TRAIN

TINY = ("--hidden", "4", "--embedding", "4", "--epochs", "2")


def invoke(command, *arguments, input=None, status=0):
    """Run a command in this process; returns (standard output, standard error) once the status is right."""
    result = CliRunner().invoke(command, list(map(str, arguments)), input=input)
    assert result.exit_code == status, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), "an exception came through"
    return result.stdout, result.stderr


def train(*arguments, **kwargs):
    """Train quietly with a tiny network."""
    return invoke(TRAIN, *arguments, *TINY, "-q", **kwargs)


def failure(command, *arguments, status=1, **kwargs):
    """The message of a command that has to fail in one line, and to write no data."""
    out, err = invoke(command, *arguments, status=status, **kwargs)
    lines = [line for line in err.splitlines() if not line.startswith(("Warning: ", "Usage: ", "Try ")) and line]
    assert out == "" and len(lines) == 1 and lines[0].startswith("Error: "), err
    return lines[0].removeprefix("Error: ")


def manifest(model="m"):
    return json.loads(Path(model, "model.json").read_bytes())


def files(model="m"):
    return {path.name: path.read_bytes() for path in Path(model).iterdir()}
