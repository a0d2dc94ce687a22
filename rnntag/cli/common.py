"""What all commands share: the edge where errors become messages, and options of the same name."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import re
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TextIO

import click
from click.core import ParameterSource

from .. import __version__
from ..corpus import FIELDS, FORMATS, TAGGED, Layout, Skipped
from ..corpus.lists import read_tag_map
from ..errors import OptionError, RnntagError
from ..events import tell
from ..files import STANDARD

ENDING = ("SIGINT", "SIGTERM", "SIGHUP")  # what tells a process to end
BURST = 1.0  # seconds in which several of these are one
SHARED = {"How corpora are read": ("format", "separator", "field", "column", "on_error", "tag_map"),
          "General": ("force", "quiet", "log_json", "debug", "version", "help")}
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Strict(click.Command):
    """A click command that refuses to be given an option of one value twice; a flag may be repeated."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments, once more to see in which order options came."""
        given = self.make_parser(ctx).parse_args(list(args))[2]
        for option in dict.fromkeys(given):
            single = isinstance(option, click.Option) and not option.multiple and (
                not option.is_flag or option.secondary_opts)
            if single and given.count(option) > 1 and not ctx.resilient_parsing:
                raise OptionError("given twice", "it has one value", "Leave one of them out.",
                                  "/".join([option.opts[-1], *option.secondary_opts]))
        return super().parse_args(ctx, args)


class Command(Strict):
    """A click command that shows errors as one line and exits as the documentation says.

    0 done, 1 the data or files are wrong, 2 misuse, 130 interrupted, 128 + n ended by signal n; a reader that has
    enough and closes the pipe (``| head -1``) ends the command quietly (0). ``--debug`` shows the traceback instead.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        kwargs.setdefault("context_settings", SETTINGS)
        super().__init__(*args, **kwargs)
        self.params.append(click.Option(["--debug"], is_flag=True, expose_value=False, is_eager=True,
                                        help="Show the traceback of an error.", callback=_remember))
        self.params.append(click.Option(["--log-json"], metavar="FILE", expose_value=False, callback=_remember,
                                        help="Add a line of JSON for each event, with times and counts, to this file "
                                        "(default: none)."))
        click.version_option(__version__, prog_name="rnntag")(self)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options under headings: those of this command alone, how corpora are read, and what most commands
        have."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                shared = next((title for title, names in SHARED.items() if parameter.name in names), "Options")
                names, text = record
                names = re.sub("INTEGER RANGE|INTEGER|FLOAT RANGE|FLOAT", "N", names)
                text = re.sub(r"; 0<=x<=\d{10,}", "", text)  # of a seed: nobody needs to know
                groups.setdefault(getattr(parameter, "group", shared), []).append((names, text))
        special = [title for title in groups if title not in ("Options", *SHARED)]
        for title in [title for title in ("Options", *special, *SHARED) if title in groups]:
            with formatter.section(title):
                formatter.write_dl(groups[title])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; also here a disk can be full, when --help is asked for."""
        with edge(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, errors turned into messages."""
        with edge(ctx), _logged(ctx), edge(ctx), handling(_ender(), *ENDING), warnings.catch_warnings():
            warnings.showwarning = _show_warning
            result = super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()
            return result


@contextlib.contextmanager
def edge(ctx: click.Context) -> Iterator[None]:
    """Turn the errors of a block into messages and an exit status."""
    try:
        yield
    except RnntagError as error:
        _fail(ctx, str(error), error.exit_status)
    except BrokenPipeError:  # the reader has enough; but where nobody hears the messages, the work may not be done
        _broken(sys.stdout)
        ctx.exit(int(_broken(sys.stderr)))
    except KeyboardInterrupt as error:
        number = error.number if isinstance(error, Ended) else signal.SIGINT
        if number != signal.SIGINT:
            _broken(sys.stdout, drop=True)  # whoever should read it may not be reading
        _fail(ctx, "interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}",
              128 + number)
    except MemoryError:
        _fail(ctx, "out of memory. Give smaller batches or a smaller network.", 1)
    except OSError as error:  # a full disk behind standard output, for example
        where = f"{error.filename}: " if error.filename else ""
        _fail(ctx, f"{where}{(error.strerror or str(error)).lower()}", 1)


def _logged(ctx: click.Context) -> contextlib.AbstractContextManager[None]:
    """The events of a block go to the file of --log-json."""
    if ctx.meta.get("rnntag.log_json") is None:
        return contextlib.nullcontext()
    from .log import logged
    return logged(ctx.meta["rnntag.log_json"], str(ctx.info_name))


def _fail(ctx: click.Context, message: str, status: int) -> None:
    tell("error", message=message)
    _broken(sys.stdout)
    if ctx.meta.get("rnntag.debug"):
        raise  # the exception being handled: this is called from except blocks only
    with contextlib.suppress(OSError):  # of a terminal that was closed
        click.echo(f"Error: {message}", err=True)
    ctx.exit(status)


def _broken(stream: TextIO | None, drop: bool = False) -> bool:
    """Can it no longer be written to, or (``drop``) need it not be? Python flushes it once more at exit: then it is
    given somewhere to go."""
    if stream is None:
        return False
    with contextlib.suppress(OSError):
        if not drop:
            stream.flush()
            return False
    with contextlib.suppress(OSError):  # of an output that is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return True


class Ended(KeyboardInterrupt):
    """The process was told to end, by a signal; not only an interrupt."""

    def __init__(self, number: int):
        super().__init__(number)
        self.number = number


def _ender() -> Callable[[int, Any], None]:
    """A handler that raises Ended. A closing terminal sends several signals; those after the first must not disturb
    the tidying up. But later ones count, in case the first came where Python ignores exceptions."""
    last = -math.inf

    def end(number: int, _frame: object) -> None:
        nonlocal last
        if time.monotonic() - last > BURST:
            last = time.monotonic()
            raise Ended(number)
    return end


@contextlib.contextmanager
def handling(handler: Callable[[int, Any], object], *names: str) -> Iterator[None]:
    """Handle the signals of these names in the block: those that this system has, unless they are
    ignored (as nohup has it). Off the main thread, where that cannot be done, nothing is changed."""
    previous: dict[int, Any] = {}
    try:
        if threading.current_thread() is threading.main_thread():
            for number in [getattr(signal, name) for name in names if hasattr(signal, name)]:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):  # None: not set from Python
                    previous[number] = signal.signal(number, handler)
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)


def _remember(ctx: click.Context, option: click.Parameter, value: bool | str | None) -> None:
    ctx.meta[f"rnntag.{option.name}"] = value


def _show_warning(message: Warning | str, *_args: Any, **_kwargs: Any) -> None:
    tell("warning", message=str(message))
    click.echo(f"Warning: {message}", err=True)


def options(*decorators: Callable) -> Callable:
    """Several click decorators as one."""
    def decorate(function: Callable) -> Callable:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function
    return decorate


force = click.option("--force", is_flag=True, help="Overwrite what exists.")
quiet = click.option("-q", "--quiet", is_flag=True, help="No progress and no summary.")
output = click.option("-o", "--output", default="-", metavar="FILE",
                      help="Where to write; - is standard output (default).")
separator = click.option("--separator", default="_", show_default=True, metavar="TEXT",
                         help="What stands between word and tag in wordtag.")


def format_option(default: str | None, choices: list[str] | None = None, name: str = "--format",
                  what: str = "Format of the corpus", shown: str | None = None) -> Callable:
    """``--format`` with the formats that make sense for a command; ``shown`` words the default."""
    choices = choices or list(FORMATS)
    shown = shown or default or "detected from the file"
    return click.option(name, type=click.Choice(choices), default=default,
                        help=f"{what} (default: {shown}).")


field = click.option("--field", type=click.Choice(list(FIELDS)), default=None,
                     help="Column of CoNLL-U that holds the tags (default: upos).")
fields = click.option(
    "--field", metavar="COLUMN,...", default=None, help="Columns of CoNLL-U or jsonl to learn: some of upos, xpos, "
    "feats and lemma with commas between them, or all that TRAIN has: all (default: as in the training of the model "
    "that --init names, else upos).")
filled_fields = click.option(
    "--fields", "--field", "field", metavar="COLUMN,...", default=None, help="Columns to fill, of those that the "
    "model has learnt (default: all of them). A single one goes into this column of CoNLL-U (default: that of its "
    "training, else upos).")
compared_fields = click.option(
    "--field", metavar="COLUMN,...", default=None, help="Columns of CoNLL-U or jsonl to compare: some of upos, xpos, "
    "feats and lemma with commas between them, or all that REFERENCE has: all (default: upos).")
column = click.option("--column", type=click.IntRange(2), default=2, show_default=True, metavar="N",
                      help="Column of vertical that holds the tags, counted from 1; the word is in the first.")
errors = click.option("--on-error", type=click.Choice(["stop", "skip"]), default="stop", show_default=True,
                      help="At a sentence that cannot be read: stop, or skip it and count.")
tag_map = click.option("--tag-map", metavar="FILE", default=None, help="Replace tags before learning: lines of "
                       "FROM TAB TO; other tags stay (default: none).")


def corpus_options(choices: Iterable[str] = TAGGED, what: str = "Format of the corpus",
                   learning: bool = False, field: Callable = field) -> Callable:
    """How corpora are to be read, as one argument ``layout``.

    ``learning`` adds --tag-map; ``field`` is the option that names columns. A warning about skipped sentences ends
    the command.
    """
    def decorate(function: Callable) -> Callable:
        @functools.wraps(function)
        def command(on_error: str, tag_map: str | None = None, **values: Any) -> Any:
            skipped = Skipped() if on_error == "skip" else None
            how = {name: values.pop(name) for name in ("format", "separator", "field", "column")}
            layout = Layout(**how, skipped=skipped, tag_map=read_tag_map(tag_map) if tag_map is not None else None)
            result = function(layout=layout, **values)
            if skipped is not None and skipped.count:
                click.echo(f"Warning: {skipped}", err=True)
            return result
        return options(format_option(None, list(choices), what=what), separator,
                       field, column, errors,
                       *([tag_map] if learning else []))(command)
    return decorate


def refuse(why: str, *names: str) -> None:
    """Raise OptionError when a parameter of these was given to the command that runs: ``why`` it would change
    nothing."""
    context = click.get_current_context()
    for option in context.command.params:
        if option.name in names and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE:
            raise OptionError(f"given {why}", "it would change nothing", "Leave it out.", option.opts[-1])


def read_once(*paths: str | None) -> None:
    """Raise OptionError when standard input is named more than once."""
    if paths.count(STANDARD) > 1:
        raise OptionError("standard input (-) is asked for twice", "it can be read once", "Write it to a file first.")
