"""``rnntag serve``: a tagger over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import click

from . import common
from .common import Ended


def server_options(port: int) -> Callable:
    """Where a server listens, and to whom; ``port`` is the default."""
    return common.options(
        click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at. Where other "
                     "machines can reach it, every request needs a token."),
        click.option("--port", type=click.IntRange(0, 65535), default=port, show_default=True,
                     help="Port to listen at; 0: any that is free."),
        click.option("--name", "names", multiple=True, metavar="HOST", help="A name under which browsers find the "
                     "server, repeatable (default: localhost and numbers; elsewhere this machine's name too)."),
        click.option("--token", envvar="RNNTAG_TOKEN", help="Every request must bring this (default: $RNNTAG_TOKEN; "
                     "without it none on this machine, otherwise a new one, which is shown)."))


def listen(routes: Sequence[Any], open_paths: Collection[str], host: str, port: int, names: tuple[str, ...],
           token: str | None, what: str, limits: Any, quiet: bool) -> None:
    """Serve until a signal comes; ``what`` is said with the address."""
    from starlette.routing import Router

    from ..adapters.web import server
    from ..adapters.web.guard import Guard
    token = server.chosen_token(host, token)
    app = Guard(Router(list(routes), redirect_slashes=False), server.host_names(host, names), token, limits,
                open_paths)
    with server.bound(host, port) as made:
        click.echo(f"{what}: {server.address(made, token)}", err=True)
        if not quiet:
            click.echo("Ctrl-C ends it", err=True)
        try:
            server.run(app, made)
        except (Ended, KeyboardInterrupt):  # the usual way to end it
            pass


@click.command("serve", cls=common.Command)
@click.argument("model", type=click.Path(path_type=Path))
@server_options(8_600)
@click.option("--segmenter", metavar="MODEL", help="Finds the sentences and words of plain text (default: that in "
              "MODEL, otherwise simple rules).")
@click.option("--max-bytes", type=click.IntRange(100, 1 << 30), default=1_000_000, show_default=True, metavar="N",
              help="Size of a request.")
@click.option("--max-tokens", type=click.IntRange(1), default=20_000, show_default=True, metavar="N",
              help="Tokens to tag in one request.")
@click.option("--timeout", type=click.FloatRange(0.1, 3_600), default=30.0, show_default=True, metavar="S",
              help="Seconds for a request to arrive, and again for its answer.")
@click.option("--max-waiting", type=click.IntRange(1, 10_000), default=32, show_default=True, metavar="N",
              help="Requests at a time; more are told to try again.")
@common.quiet
def main(model: Path, host: str, port: int, names: tuple[str, ...], token: str | None, segmenter: str | None,
         max_bytes: int, max_tokens: int, timeout: float, max_waiting: int, quiet: bool) -> None:
    """Serve the tagger in the folder MODEL over HTTP, with a page to try it (extra: web).

    POST /tag takes JSON with "text", "tokens" or "sentences", and answers with the lines of jsonl that
    test-rnn writes. GET /info, /health and /openapi.json describe it. Only this machine is listened to
    unless --host says otherwise.
    """
    from ..adapters.web import server
    from ..adapters.web.guard import Limits
    from ..adapters.web.tagging import Service
    from ..storage.kinds import TAGGERS
    from ..storage.modelfile import load

    limits = Limits(max_bytes, max_tokens, timeout, max_waiting)
    tagger: Any = load(model, TAGGERS)
    finder = load(segmenter, "segmenter") if segmenter is not None else getattr(
        tagger, "parts", {}).get("segmenter")
    service = Service(tagger, model.resolve().name, limits, finder)
    pages, paths = server.page_routes({"/": "try.html", "/try.js": "try.js", "/common.js": "common.js",
                                       "/style.css": "style.css", "/icon.svg": "icon.svg"})
    listen([*pages, *service.routes()], {*paths, "/health"}, host, port, names, token, f"Serving {model}", limits,
           quiet)


if __name__ == "__main__":
    main()
