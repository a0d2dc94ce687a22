"""Every option of the network and of its training: default, bounds, unit, and the presets.

One field is one option: the command line, the check of a model's manifest and the documentation
are all made from these lines.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, TypeVar

from ..errors import OptionError, quote

GROUPS = ("Input", "Network", "Training")  # headings, in order
EPOCHS, WHOLE, FEWEST = 18, 60_000, 4  # epochs over a corpus of so many tokens or less; over any, at least
RETIRED = {"weight_decay"}  # options of earlier versions that changed nothing that is stored
FEATURES = ("form", "lower", "prefixes", "suffixes", "shape", "ngrams")
CELLS = {"elman": "cells:Elman", "gru": "cells:GRU", "lstm": "cells:LSTM"}  # module and class in nn
POOLINGS = {"last": "pooling:Last", "mean": "pooling:Mean", "max": "pooling:Max", "attention": "pooling:Attention"}
OUTPUTS = {"softmax": "output:Softmax", "crf": "output:CRF"}
Kind = TypeVar("Kind", bound="TrainingOptions")


def number(default: float, low: float, high: float, help: str, group: str) -> Any:
    """A field that is a number from ``low`` to ``high``; ``help`` is what the command line says of it."""
    return field(default=default, metadata={"low": low, "high": high, "help": help, "group": group})


def choice(default: str, choices: tuple[str, ...], help: str, group: str) -> Any:
    """A field that is one of a few names."""
    return field(default=default, metadata={"choices": choices, "help": help, "group": group})


def other(default: Any, help: str, group: str) -> Any:
    """A field with checks of its own."""
    return field(default=default, metadata={"help": help, "group": group})


@dataclass(frozen=True)
class TrainingOptions:
    """What every training has, whatever is trained; a kind of model adds its own.

    Raises OptionError for what is out of range.
    """

    epochs: int = number(EPOCHS, 1, 100_000, "Passes over the training data.", "Training")
    batch_size: int = number(16, 1, 100_000, "Sentences per update.", "Training")
    optimizer: str = choice("adam", ("sgd", "momentum", "adagrad", "rmsprop", "adam"), "Update rule.", "Training")
    learning_rate: float = number(0.002, 1e-12, 1e6, "Step size.", "Training")
    embedding_rate: float = number(4.0, 0, 1e6, "Factor on the step size for embeddings.", "Training")
    schedule: str = choice("linear", ("constant", "linear", "cosine"), "Step size over time: constant, or "
                           "falling to 0.", "Training")
    clip: float = number(5.0, 0, math.inf, "Largest norm of a gradient, 0: no limit.", "Training")
    average: float = number(0.0, 0, 1, "Last part of the training whose weights are averaged, 0: none.", "Training")
    patience: int = number(0, 0, 100_000, "Epochs without a better dev score before stopping, 0: never.", "Training")
    seed: int = number(1, 0, 2**63 - 1, "Seed of the random generator.", "Training")

    def __post_init__(self) -> None:
        for option in fields(self):
            _check(option.name, getattr(self, option.name), option.metadata, type(option.default))

    def for_corpus(self: Kind, tokens: int) -> Kind:
        """The same with a number of epochs, for a corpus of so many tokens: four times the tokens, half the epochs.

        A large corpus teaches as much in fewer passes; docs/experiments.md has what they gave.
        """
        found = round(EPOCHS * math.sqrt(WHOLE / max(tokens, WHOLE)))
        return self if self.epochs else replace(self, epochs=max(found, FEWEST))

    def unused(self, dev: bool = False, vectors: bool = False) -> dict[str, str]:
        """The options that change nothing here, and why: ``{"window": "without --encoder cnn"}``.

        dev      there is a dev set
        vectors  there will be pretrained vectors, whose width is not known yet
        """
        return {} if dev or not self.patience else {"patience": "without a dev set"}

    def to_dict(self) -> dict[str, Any]:
        """All options as JSON values."""
        values = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        return values | ({"clip": 0.0} if math.isinf(self.clip) else {})

    @classmethod
    def from_dict(cls: type[Kind], values: dict[str, Any]) -> Kind:
        """Options from JSON values; those absent have their default.

        Raises OptionError for a name that is no option, and for values that do not fit.
        """
        values = {name: value for name, value in values.items() if name not in RETIRED}
        refuse_unknown(values, cls)
        lists = [option.name for option in fields(cls) if isinstance(option.default, tuple)]
        made: dict[str, Any] = {name: tuple(value) if name in lists and isinstance(value, list) else value
                                for name, value in values.items()}
        return cls(**made)


def _check(name: str, value: Any, meta: Any, kind: Any) -> None:
    place = flag(name)
    if type(value) is not kind and not (kind is float and type(value) is int):
        wanted = {int: "a whole number", float: "a number", bool: "true or false"}.get(kind, "text")
        raise OptionError(repr(value)[:60], f"it is {wanted}", place=place)
    if "low" in meta and not meta["low"] <= value <= meta["high"]:
        raise OptionError(str(value)[:60], f"it is at least {meta['low']} and at most {meta['high']}",
                          place=place)
    if "choices" in meta and value not in meta["choices"]:
        raise OptionError(quote(value), f"it is one of {', '.join(meta['choices'])}", place=place)
    if kind is float and value > 1e300 and not value == math.inf:  # a whole number beyond floats, too
        raise OptionError(str(value)[:60], "it is at most 1e300, or inf", place=place)


@dataclass(frozen=True)
class Options(TrainingOptions):
    """All that determines a tagger besides its corpus. Raises OptionError for what does not fit."""

    # input
    features: str = other(",".join(FEATURES[:-1]), f"Word features, summed: some of {', '.join(FEATURES)}.", "Input")
    normalize: str = choice("none", ("none", "nfc", "nfkc"), "Unicode form in which words are looked up; the output "
                            "keeps theirs.", "Input")
    min_count: int = number(1, 1, 10**9, "Features seen less often than this are unknown.", "Input")
    embedding: int = number(64, 0, 4096, "Width of the embeddings; 0: one-hot input, a row of W_x "
                            "for each feature.", "Input")
    char_rnn: int = number(0, 0, 1024, "Hidden width of the RNN over characters, 0: none.", "Input")
    char_embedding: int = number(32, 1, 1024, "Width of the character embeddings.", "Input")
    vectors: int = number(0, 0, 4096, "Width of the pretrained word vectors, 0: none.", "Input")
    freeze_vectors: bool = other(True, "Keep pretrained vectors as they are, or train them too.", "Input")
    # network
    encoder: str = choice("rnn", ("rnn", "cnn"), "What reads the sentence.", "Network")
    cell: str = choice("gru", tuple(CELLS), "Recurrent cell.", "Network")
    activation: str = choice("tanh", ("tanh", "sigmoid", "relu"), "Activation of the Elman cell.", "Network")
    bidirectional: bool = other(True, "Read each sentence in both directions, or left to right.", "Network")
    layers: int = number(1, 1, 8, "Stacked layers.", "Network")
    hidden: int = number(128, 1, 4096, "Hidden width, for each direction.", "Network")
    window: int = number(5, 1, 31, "Width of the convolution's window in words, odd.", "Network")
    filters: int = number(200, 1, 4096, "Filters of the convolution.", "Network")
    dense: tuple[str, ...] = other((), "A dense layer before the output, N[:tanh|relu|sigmoid]; "
                                   "repeatable.", "Network")
    output: str = choice("softmax", tuple(OUTPUTS), "Output layer.", "Network")
    members: int = number(1, 1, 64, "Networks with other random weights, trained side by side; their "
                          "probabilities are averaged.", "Network")
    sure: float = number(1.0, 0, 1, "With --members that are convolutions of one layer: where the first gives a tag "
                         "this probability, the others are not asked, 1: they always are.", "Network")
    # training
    epochs: int = number(0, 0, 100_000, f"Passes over the training data, 0: {EPOCHS}, or fewer over more than "
                         f"{WHOLE:,} tokens.", "Training")
    bptt: int = number(0, 0, 1_000_000, "Steps back that an error is followed, 0: the full gradient.", "Training")
    propagation_penalty: float = number(0.0, 0, 1e6, "Weight of a penalty on errors that shrink or grow from step to "
                                        "step on their way back, 0: none.", "Training")
    dropout: float = number(0.35, 0, 0.99, "Share of units dropped, of the input and of each layer.", "Training")
    word_dropout: float = number(0.25, 0, 1e6, "a: a word seen n times is read as unknown with "
                                 "probability a / (a + n).", "Training")
    lemmatizer: str = choice("auto", ("auto", "scripts", "seq2seq"), "Lemmas of words that training did not see: by "
                             "edit scripts, by an encoder-decoder, or by what both say.", "Training")
    vector_dropout: float = number(0.1, 0, 0.99, "Share of tokens without their pretrained vector.", "Training")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_together()

    def _check_together(self) -> None:
        odd = [name for name in self.feature_names if name not in FEATURES]
        if odd or len(set(self.feature_names)) < len(self.feature_names):
            raise OptionError(f"{self.features!r}", f"it is some of {', '.join(FEATURES)}, each once",
                              place="--features")
        if not (self.feature_names or self.char_rnn or self.vectors):
            raise OptionError("no features, no --char-rnn and no --vectors", "a network needs some input",
                              place="--features")
        if self.embedding == 0 and "ngrams" in self.feature_names:
            raise OptionError("0 with --features ngrams", "these are added to embeddings",
                              "Give --embedding a width.", "--embedding")
        if self.embedding == 0 and (self.char_rnn or self.vectors):
            raise OptionError("0 with --char-rnn or --vectors", "these are added to embeddings",
                              "Give --embedding a width.", "--embedding")
        if self.propagation_penalty and self.bptt:
            raise OptionError(f"{self.propagation_penalty} with --bptt {self.bptt}", "the penalty is of the full "
                              "gradient", "Leave one of them out.", "--propagation-penalty")
        if self.encoder == "cnn":
            if self.bptt:
                raise OptionError(f"{self.bptt} with --encoder cnn", "a convolution has no time to go back "
                                  "through", "Leave it out, or use --encoder rnn.", "--bptt")
            if self.embedding == 0:
                raise OptionError("0 with --encoder cnn", "a convolution reads embeddings",
                                  "Give --embedding a width.", "--embedding")
            if self.window % 2 == 0:
                raise OptionError(f"{self.window}", "the window is odd: as many words on either side",
                                  place="--window")
        if self.members > 1 and self.output == "crf":
            raise OptionError(f"{self.members} with --output crf", "probabilities of tokens are averaged",
                              "Use --output softmax, or --members 1.", "--members")
        for layer in self.dense_layers:
            if layer[1] not in ("tanh", "relu", "sigmoid") or not 1 <= layer[0] <= 4096:
                raise OptionError(f"{layer[0]}:{layer[1]}", "a dense layer is 1 to 4096, then :tanh, :relu or "
                                  ":sigmoid", place="--dense")
        if len(self.dense) > 8:
            raise OptionError(f"{len(self.dense)} layers", "at most 8", place="--dense")

    def unused(self, dev: bool = False, vectors: bool = False) -> dict[str, str]:
        recurrent, vectors = self.encoder == "rnn", bool(self.vectors) or vectors
        rows = self.feature_names or self.char_rnn or vectors and not self.freeze_vectors
        needed = {
            "min_count": (self.feature_names, "without --features"),
            "word_dropout": (self.feature_names, "without --features"),
            "embedding_rate": (rows, "without embeddings that are trained"),
            "cell": (recurrent or self.char_rnn, "without --encoder rnn"),
            "activation": (self.cell == "elman" and (recurrent or self.char_rnn), "without --cell elman"),
            "propagation_penalty": (self.cell == "elman" and recurrent, "without --cell elman"),
            "bidirectional": (recurrent, "without --encoder rnn"),
            "hidden": (recurrent, "without --encoder rnn"),
            "window": (not recurrent, "without --encoder cnn"),
            "filters": (not recurrent, "without --encoder cnn"),
            "sure": (self.apart and self.members > 1, "without --encoder cnn, --layers 1 and several --members"),
            "char_embedding": (self.char_rnn, "without --char-rnn"),
            "freeze_vectors": (vectors, "without vectors"),
            "vector_dropout": (vectors, "without vectors"),
        }
        return super().unused(dev) | {name: why for name, (used, why) in needed.items() if not used}

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The features as a tuple."""
        return tuple(name for name in self.features.split(",") if name)

    @property
    def dense_layers(self) -> list[tuple[int, str]]:
        """(width, activation) of each dense layer, tanh when none is named."""
        layers = []
        for text in self.dense:
            width, _, activation = str(text).partition(":")
            if not (width.isascii() and width.isdigit() and len(width) < 6):
                raise OptionError(quote(text), "it is N or N:tanh, N:relu, N:sigmoid", place="--dense")
            layers.append((int(width), activation or "tanh"))
        return layers

    @property
    def apart(self) -> bool:
        """Can a token be scored without the others?"""
        return self.encoder == "cnn" and self.layers == 1

    @property
    def directions(self) -> int:
        """How many directions a layer reads in."""
        return 2 if self.bidirectional else 1


def refuse_unknown(names: Iterable[str], kind: type[TrainingOptions]) -> None:
    """Raise OptionError for a name that is no option of this kind."""
    known = {option.name for option in fields(kind)}
    for name in names:
        if name not in known:
            raise OptionError(f"{quote(name)} is no option", f"options are {', '.join(sorted(known))}")


SWITCHES = {"bidirectional": "--bidirectional/--one-direction",
            "freeze_vectors": "--freeze-vectors/--tune-vectors", "tied": "--tied/--untied"}


def flag(name: str) -> str:
    """The command-line name of an option."""
    return "--" + name.replace("_", "-")


def refuse_unused(options: Any, given: Collection[str], dev: bool, vectors: bool = False) -> None:
    """Raise OptionError for an option of those given (by name) that changes nothing; arguments as of ``unused``."""
    refuse(options, {name: why for name, why in options.unused(dev, vectors).items() if name in given})


def refuse(options: TrainingOptions, unused: Mapping[str, str]) -> None:
    """Raise OptionError for the first of some options that change nothing, given by name with the reason."""
    for name, why in unused.items():
        raise OptionError(f"{getattr(options, name)} {why}", "it would change nothing", "Leave it out.",
                          SWITCHES.get(name, flag(name)))


PRESETS: dict[str, dict[str, Any]] = {
    # the network of seed 000: one-hot words, one direction, tanh, per-sentence SGD, full gradient
    "tutorial": {"features": "form", "embedding": 0, "cell": "elman", "bidirectional": False, "hidden": 100,
                 "optimizer": "sgd", "batch_size": 1, "learning_rate": 0.2, "embedding_rate": 1.0,
                 "dropout": 0.0, "epochs": 12},
    "default": {},
    "fast": {"encoder": "cnn", "filters": 128, "members": 2, "sure": 0.8, "batch_size": 8, "learning_rate": 0.0015},
    # of several columns: what FEATS and lemmas need to know of a word
    "columns": {"features": ",".join(FEATURES)},
    "accurate": {"members": 5, "embedding": 128, "hidden": 200, "dropout": 0.5, "epochs": 16},
}


def preset(name: str, **changes: Any) -> Options:
    """The options of a preset, with changes.

    Raises OptionError for what is no preset or no option.
    """
    if not isinstance(name, str) or name not in PRESETS:
        raise OptionError(quote(name), f"it is one of {', '.join(PRESETS)}", place="--preset")
    return Options.from_dict({**PRESETS[name], **changes})
