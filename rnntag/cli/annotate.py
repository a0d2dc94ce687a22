"""``rnntag annotate``: correct a corpus in the browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ..corpus import TAGGED, Layout
from ..errors import OptionError
from . import common
from .recipes import recipe, recipe_option
from .serve import listen, server_options


columns = click.option("--fields", "--field", "field", metavar="COLUMN,...", default=None, help="Columns of CoNLL-U "
                       "or jsonl to correct (default: all that CORPUS has values in).")


@click.command("annotate", cls=common.Command)
@click.argument("corpus")
@click.option("--model", type=click.Path(path_type=Path), help="The tagger that gives the first answers (default: "
              "one trained on CORPUS itself, each sentence answered by one that has not seen it).")
@click.option("--train", metavar="FILE", help="The tagged corpus to learn from, beside the sentences that are done "
              "(default: CORPUS itself; with --model nothing is learnt).")
@click.option("--retrain", type=click.IntRange(0), default=20, show_default=True, metavar="N",
              help="Train again in the background after N sentences; 0: only when asked to.")
@click.option("--session", metavar="FILE", help="Where to note what is done (default: CORPUS with .session.jsonl "
              "after its name).")
@recipe_option
@server_options(8_601)
@common.corpus_options(TAGGED, field=columns)
@common.quiet
def main(corpus: str, model: Path | None, train: str | None, retrain: int, session: str | None, changes: str,
         host: str, port: int, names: tuple[str, ...], token: str | None, layout: Layout, quiet: bool) -> None:
    """Read, tag and correct CORPUS in the browser (extra: web).

    The page marks what a tagger doubts, and is made for the keyboard. Each sentence that is accepted is
    saved at once, into CORPUS itself: the whole file is replaced, with every other byte as it was. It is
    refused when somebody else has changed the file meanwhile.
    """
    from ..adapters.web import server
    from ..adapters.web.annotating import Editor
    from ..adapters.web.guard import Limits
    from ..adapters.web.learning import Learner
    from ..analysis.annotation import Annotation
    from ..corpus import read_tagged
    from ..corpus.document import Document
    from ..corpus.session import Session
    from ..files import Lock
    from ..storage.kinds import TAGGERS
    from ..storage.modelfile import load, trained_field

    if layout.skipped is not None:
        raise OptionError("skip", "a sentence that cannot be read cannot be corrected", place="--on-error")
    if model is not None and train is None:
        common.refuse("with --model and without --train", "retrain", "changes")
    more: tuple[str, ...] = ()
    if model is not None:
        tagger: Any = load(model, TAGGERS)
        more = tuple(filter(None, tagger.fields))
        layout = layout if more else replace(layout, field=layout.field or trained_field(tagger))
    chosen = recipe(changes, quiet)
    document = Document(corpus, layout, more)
    named = replace(layout, format=None, field=[name for name in document.fields if name] or None)
    known = read_tagged(train, named) if train is not None else None
    path = Path(session if session is not None else f"{document.path}.session.jsonl")
    annotation = Annotation(document, Session(path))
    learner = Learner(annotation, chosen, known, model, retrain)
    editor = Editor(annotation, learner)
    pages, paths = server.page_routes({"/": "annotate.html", "/annotate.js": "annotate.js", "/common.js": "common.js",
                                       "/style.css": "style.css", "/icon.svg": "icon.svg"})
    lock = Lock(document.path.with_name(f".{document.path.name}.lock"))
    if not lock.acquire():
        raise OptionError(f"{corpus} is in use", "one server at a time works on a corpus", "Is another one running?",
                          "annotate")
    try:
        learner.start()
        if not quiet:
            at = annotation.progress()
            click.echo(f"{at['sentences']:,} sentences, {at['done']:,} of them done, as {path} says", err=True)
        listen([*pages, *editor.routes()], {*paths, "/health"}, host, port, names, token, f"Annotating {corpus}",
               Limits(), quiet)
    finally:
        learner.close()
        lock.path.unlink(missing_ok=True)
        lock.release()


if __name__ == "__main__":
    main()
