"""``rnntag``: all commands under one name. A command's module is imported when it is used."""

from __future__ import annotations

from importlib import import_module

import click

from .. import __version__
from .common import SETTINGS, edge

GROUPS = {  # heading: {name: (module, what it does)}
    "Train and tag": {
        "train-rnn": ("train_rnn", "Train an RNN tagger on a tagged corpus."),
        "test-rnn": ("test_rnn", "Tag text with a trained RNN tagger."),
        "train-hmm": ("train_hmm", "Train the HMM baseline on a tagged corpus."),
        "test-hmm": ("test_hmm", "Tag text with a trained HMM."),
    },
    "Raw text": {
        "train-segmenter": ("train_segmenter", "Train a segmenter, which finds words and sentences in raw text."),
        "segment": ("segment", "Find the words and sentences of raw text."),
    },
    "Strings": {
        "train-transducer": ("train_transducer", "Train an encoder-decoder on pairs of strings."),
        "transduce": ("transduce", "Write for each string what a trained transducer makes of it."),
    },
    "Language models": {
        "train-lm": ("train_lm", "Train a language model on text."),
        "score": ("score", "Show how probable a text is, and each word of it."),
        "generate": ("generate", "Write text drawn from a language model."),
    },
    "Classifiers": {
        "train-classifier": ("train_classifier", "Train a classifier of texts."),
        "classify": ("classify", "Label texts with a trained classifier."),
        "grade-labels": ("grade_labels", "Grade the labels of texts."),
    },
    "Grade and compare": {
        "grade-pos": ("grade_pos", "Grade answers against reference tags."),
        "report": ("report", "Write a page of scores and figures about answers."),
        "cross-validate": ("cross_validate", "Train and test on the parts of one corpus in turn."),
        "learning-curve": ("learning_curve", "Show what more of a corpus should bring."),
    },
    "Corpora": {
        "data": ("data", "Fetch a corpus."),
        "check": ("check", "Show what a corpus is like, and what looks wrong in it."),
        "suggest": ("suggest", "Choose the sentences to annotate next."),
        "annotate": ("annotate", "Correct a corpus in the browser."),
        "convert": ("convert", "Write a corpus in another format."),
        "vectors": ("vectors", "Make word vectors from untagged text."),
    },
    "Models": {
        "inspect": ("inspect", "Show what is in a model, and why it tags a word so."),
        "serve": ("serve", "Serve a tagger over HTTP."),
        "diagnose": ("diagnose", "Show how far back the errors of a model reach."),
    },
}
COMMANDS = {name: command for group in GROUPS.values() for name, command in group.items()}


class LazyGroup(click.Group):
    """A group that imports a subcommand only to run it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; a full disk behind --help is a message too."""
        with edge(ctx):
            return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        return import_module(f".{COMMANDS[name][0]}", __package__).main

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name, text) for name, (_, text) in commands.items()])


@click.group(cls=LazyGroup, context_settings=SETTINGS)
@click.version_option(__version__, prog_name="rnntag")
def main() -> None:
    """Part-of-speech taggers trained on your own tagged corpus."""
