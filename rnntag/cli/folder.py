"""Tagging many files into a folder: each answer is there whole or not at all, so a run that was stopped can go on."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from ..compression import plain
from ..corpus import FORMATS
from ..errors import OptionError, RnntagError
from ..events import tell
from ..files import PART, STANDARD, digest, reporting, shown, write_bytes
from .common import refuse
from .parquet import TEXT_ONLY, is_parquet, tag_parquet
from .table import table
from .tagging import shape, tag_file

SETTINGS = "_rnntag.json"  # in the folder of the answers; those who read a folder as a data set pass over such names
ALIKE = ("sources", "output", "output_dir", "resume", "force", "jobs", "stream", "on_error", "model")


def tag_files(tagger: Any, sources: Sequence[str], output: str, output_dir: str | None, resume: bool, *,
              model: Path, force: bool = False, **how: Any) -> None:
    """Tag one file into ``output``, or every file into the folder ``output_dir``; ``how`` is that of ``tag_file``.

    Raises OptionError for what does not fit together, RnntagError when files were left out.
    """
    if output_dir is not None:
        if output != STANDARD or how["stream"]:
            raise OptionError("given with --output-dir", "each answer is a file there", "Leave it out.",
                              "--stream" if how["stream"] else "--output")
        _tag_into(Path(output_dir), tagger, sources or [STANDARD], model, resume, force, how)
    elif len(sources) > 1:
        raise OptionError(f"{len(sources)} INPUTs", "each has an answer of its own", "Name a folder for the answers "
                          f"with --output-dir. If {sources[-1]} is to be the output, put -o before it.")
    elif sources and Path(sources[0]).is_dir():
        raise OptionError("a folder", "each of its files has an answer of its own", "Name a folder for the answers "
                          "with --output-dir.", sources[0])
    elif resume:
        raise OptionError("given without --output-dir", "it would change nothing", "Leave it out.", "--resume")
    else:
        if sources and is_parquet(sources[0]):
            refuse("with Parquet", *TEXT_ONLY, *([] if how["fields"] else ["field"]))
        _tag(tagger, sources[0] if sources else STANDARD, output, force, how)


def _tag_into(folder: Path, tagger: Any, sources: Sequence[str], model: Path, resume: bool, force: bool,
              how: dict[str, Any]) -> None:
    """Tag every file into ``folder``, and show a table of what was done, also when the command is stopped.

    A file about which there is an error is named and left out, and the others are tagged.
    """
    from .progress import Progress
    answers = _answers(sources, folder, how)
    going_on = _begin(folder, model, list(answers.values()), resume, force)
    rows, total, bad = [("file", "sentences", "tokens", "seconds", "answer")], [0, 0, 0.0], 0
    try:
        for source, target in Progress(False, iterable=answers.items(), unit=" files"):
            start = time.perf_counter()
            try:
                if going_on and _finished(source, target):
                    rows.append((str(source), "", "", "", f"{target}, finished before"))
                    continue
                with reporting(target.parent, "write"):
                    target.parent.mkdir(parents=True, exist_ok=True)
                done = *_tag(tagger, source, target, force or going_on, how), time.perf_counter() - start
            except RnntagError as error:
                if not error.place.startswith(str(source)):
                    raise
                click.echo(f"Error: {error}", err=True)
                rows.append((str(source), "", "", "", "none, see the error"))
                bad += 1
            else:
                rows.append((str(source), *_cells(done), str(target)))
                total = [a + b for a, b in zip(total, done)]
    finally:
        rows.append((f"{len(rows) - 1 - bad} of {len(answers)} files", *_cells(total), ""))
        click.echo("\n".join(table(rows, right=(1, 2, 3))))
    if bad:
        raise RnntagError(f"{bad} of {len(answers)} files could not be tagged", hint="Mend them, then go on with "
                          "--resume.", place=folder)


def _tag(tagger: Any, source: str | Path, target: str | Path, force: bool, how: dict[str, Any]) -> tuple[int, int]:
    """Tag one file; returns the number of sentences and of tokens."""
    start = time.perf_counter()
    try:
        done = (tag_parquet if is_parquet(source) else tag_file)(tagger, source, target, force=force, **how)
    except RnntagError as error:
        if error.place.startswith(":"):  # a ConstrainedTagger, which does not know the file
            error.place = f"{shown(source)}{error.place}"
        raise
    tell("tagged", input=str(source), output=str(target), sentences=done[0], tokens=done[1],
         seconds=round(time.perf_counter() - start, 3))
    return done


def _cells(done: Sequence[float]) -> tuple[str, str, str]:
    return f"{done[0]:,}", f"{done[1]:,}", f"{done[2]:.2f}"


def _finished(source: Path, target: Path) -> bool:
    """Is the answer there, and younger than its question?"""
    with reporting(source, "read"):
        return target.exists() and os.stat(target).st_mtime_ns >= os.stat(source).st_mtime_ns


def _answers(sources: Sequence[str], folder: Path, how: dict[str, Any]) -> dict[Path, Path]:
    """The files to tag, those of folders included, each with the file for its answer.

    Raises OptionError for two that would have the same answer.
    """
    found: dict[Path, Path] = {}
    owners: dict[Path, Path] = {folder / SETTINGS: folder / SETTINGS}
    for name in sources or [STANDARD]:
        if name == STANDARD:
            raise OptionError("standard input", "an answer has the name of its file", "Give the files as INPUT.",
                              "--output-dir")
        for source, inside in _files(Path(name), folder):
            target = folder / inside.with_name(_answer_name(inside.name, how))
            if owners.setdefault(target, source) != source:
                raise OptionError(f"{owners[target]} and {source}", f"both answers would be {target}",
                                  "Tag them into two folders.", "--output-dir")
            found[source] = target
    return found


def _files(path: Path, folder: Path) -> Iterator[tuple[Path, Path]]:
    """A file, or those of a folder whose names do not begin with . or _, with their names inside it.

    Raises OptionError when the answers would be among them, RnntagError when there are none.
    """
    if not path.is_dir():
        yield path, Path(path.name)
        return
    if folder.resolve().is_relative_to(path.resolve()):
        raise OptionError(str(folder), f"it is in {path}, whose files are to be tagged", "Choose a folder beside it.",
                          "--output-dir")
    with reporting(path, "read"):
        found = sorted(file for file in path.rglob("*") if file.is_file())
    seen = [file for file in found if not any(part[0] in "._" for part in file.relative_to(path).parts)]
    if not seen:
        raise RnntagError("a folder without files", place=path)
    yield from ((file, file.relative_to(path)) for file in seen)


def _answer_name(name: str, how: dict[str, Any]) -> str:
    """The name of an answer: that of its question, but for an ending that is the name of a format."""
    stem, dot, format = plain(name).rpartition(".")
    if how.get("raw"):
        return f"{stem or name}.{how['output_format'] or shape('conllu', how['best'])}"
    if not stem or format.lower() not in FORMATS:
        return name
    return f"{stem}.{how['output_format'] or shape(format.lower(), how['best'])}{name[len(plain(name)):]}"


def _begin(folder: Path, model: Path, answers: list[Path], resume: bool, force: bool) -> bool:
    """Write into the folder what the answers are made with. Is a run that made answers there to be gone on with?

    Raises OptionError when that was something else, RnntagError when there are answers that nobody allows to replace.
    """
    parameters = click.get_current_context().params
    settings = {"model": digest(model / "model.json"), **{
        name: value for name, value in sorted(parameters.items()) if name not in ALIKE}}
    text = json.dumps(settings, indent=1).encode() + b"\n"
    if folder.exists() and not folder.is_dir():
        raise RnntagError("a file stands there", "the answers go into a folder", "Choose another name.", folder)
    with reporting(folder, "write"):
        folder.mkdir(parents=True, exist_ok=True)
        before = (folder / SETTINGS).read_bytes() if (folder / SETTINGS).exists() else None
    if resume and before not in (None, text):
        raise OptionError(f"{folder} was begun with another model or other options", "its answers would be of two "
                          "kinds", "Tag into another folder, or all again with --force.", "--resume")
    going_on = resume and before is not None
    if not force and not going_on:
        for target in [folder / SETTINGS, *answers]:
            if os.path.lexists(target):
                raise RnntagError("exists already", hint="Go on with --resume, choose another folder, or overwrite "
                                  "it with --force.", place=target)
    with reporting(folder, "write"):
        for unfinished in folder.rglob(f".*.????????{PART}"):  # of a run that was killed
            unfinished.unlink()
        write_bytes(folder / SETTINGS, text)
    return going_on
