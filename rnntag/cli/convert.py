"""``rnntag convert``: a corpus from one format to another."""

from __future__ import annotations

import click

from ..corpus import FORMATS
from . import common


@click.command("convert", cls=common.Command)
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@click.option("--from", "source_format", type=click.Choice(list(FORMATS)), default=None,
              help="Format of IN (default: detected from the file).")
@click.option("--to", "target_format", type=click.Choice(list(FORMATS)), default=None,
              help="Format of OUT (default: what its name ends in, such as .conllu).")
@common.separator
@common.field
@common.column
@common.errors
@common.force
def main(source: str, target: str, source_format: str | None, target_format: str | None, separator: str,
         field: str | None, column: int, on_error: str, force: bool) -> None:
    """Write the corpus IN to OUT in another format; - is standard input or output.

    OUT has a sentence for each sentence of IN. What a format has no place for is left out.
    """
    from ..compression import plain
    from ..corpus import Layout, Skipped, open_corpus
    from ..errors import OptionError
    from ..files import open_output, shown
    from .tagging import written

    target_format = target_format or plain(target).rpartition(".")[2].lower()
    if target_format not in FORMATS:
        raise OptionError(f"the name {shown(target)} does not tell the format",
                          f"it is one of {', '.join(FORMATS)}", "Say which with --to.")
    skipped = Skipped() if on_error == "skip" else None
    layout = Layout(source_format, separator, field, column, skipped)
    with open_corpus(source, layout, want="some") as (_, sentences):
        writer = FORMATS[target_format](separator, field, column)
        with open_output(target, force=force) as stream:
            for sentence in sentences:
                stream.write(written(writer, sentence, source).encode())
    if skipped is not None and skipped.count:
        click.echo(f"Warning: {skipped}", err=True)


if __name__ == "__main__":
    main()
