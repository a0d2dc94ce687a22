"""The vanishing and the exploding gradient made visible     (seed 000, "Vanishing Gradient"; seed 002,
"Long-Term Dependencies": the norm of d loss_t / d h_k goes like gamma^(t-k))."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ..corpus import Sentence
from ..corpus.labelled import Text
from ..errors import OptionError
from ..models.answers import chunks
from ..models.classifier import Classifier
from ..models.columns import column
from ..models.options import Options
from ..models.tagger import RNNTagger
from ..nn.layers import Array, softmax
from ..nn.packing import batches, interleave
from ..nn.recurrent import Recurrent


@np.errstate(over="ignore", invalid="ignore")
def gradient_norms(tagger: RNNTagger, sentences: Iterable[Sentence], steps: int) -> Array:
    """Mean over t of || d loss_t / d s_(t-k) || for k = 0 .. steps, of the last RNN layer: (D, steps + 1).

    loss_t is the negative log-likelihood of the right tag of the first column by the softmax of the scores of t;
    s is the cell's state, h or for an LSTM [h, c]. One row for each direction; in the backward
    direction k counts words to the right. Where no sentence is longer than k the mean is nan.

    Raises OptionError for a network without an RNN over words, ModelError when scores overflow.
    """
    _check_recurrent(tagger.options)
    table, network, params = tagger.word_table(), tagger.network, tagger.params
    name = tagger.fields[0]
    total = np.zeros((tagger.options.directions, steps + 1))
    count = np.zeros(steps + 1)
    tagged = [sentence for sentence in sentences if len(sentence)]
    for chunk in chunks(tagged, 8_192):
        types = [table.ids(sentence.words) for sentence in chunk]
        classes = [tagger.columns[name].classes(sentence.words, column(sentence, name)) for sentence in chunk]
        for members, packing in batches([len(ids) for ids in types], 2_048):
            batch = interleave([types[i] for i in members], packing)
            h, caches = network.forward(params, table, batch, packing)
            scores, cache = network.outputs[0].forward(params, h, packing)
            targets = interleave([classes[i] for i in members], packing)
            dscores = _output_error(tagger.finite(scores), targets)
            for k, norms in enumerate(_norms(network, params, dscores, [*caches, cache], steps)):
                total[:, k] += norms
                count[k] += np.maximum(packing.lengths - k, 0).sum()
    return total / count


@np.errstate(over="ignore", invalid="ignore")
def text_gradient_norms(classifier: Classifier, texts: Iterable[Text], steps: int) -> Array:
    """Mean over texts of || d loss / d s_(T-k) || for k = 0 .. steps, of the last RNN layer: (D, steps + 1).

    The loss is that of a text's label, which is answered from the states at its end, T for the forward direction, the
    first word for the backward one. s and nan as for ``gradient_norms``.

    Raises OptionError for a classifier without an RNN over words, or with another pooling.
    """
    _check_recurrent(classifier.options)
    if classifier.options.pooling != "last":
        raise OptionError(f"a classifier with --pooling {classifier.options.pooling}", "its label is answered from "
                          "all states, near and far", "Train it with --pooling last.", "diagnose")
    table, network, params = classifier.word_table(), classifier.network, classifier.params
    total = np.zeros((classifier.options.directions, steps + 1))
    count = np.zeros(steps + 1)
    found = [text for text in texts if text.words]
    types = [table.ids(text.words) for text in found]
    classes = np.array(classifier.labels.ids(text.label for text in found), np.intp) - 1
    for members, packing in batches([len(ids) for ids in types], 2_048):
        h, caches = network.forward(params, table, interleave([types[i] for i in members], packing), packing)
        scores, cache = network.outputs[0].forward(params, h, packing)
        for k, norms in enumerate(_norms(network, params, _output_error(scores, classes[members]),
                                         [*caches, cache], steps)):
            total[:, k] += norms
            count[k] += (packing.lengths > k).sum()
    return total / count


def _check_recurrent(options: Options) -> None:
    if options.members > 1:
        raise OptionError(f"{options.members} networks", "one is looked at at a time", "Train it with --members 1.",
                          "diagnose")
    if options.encoder != "rnn":
        raise OptionError("a convolution", "only a recurrent network has gradients over time",
                          "Train it with --encoder rnn.", "diagnose")


def _output_error(scores: Array, targets: Array) -> Array:
    """p - p', and 0 for classes that the model does not have."""
    dscores = softmax(scores)
    dscores[np.arange(len(targets)), targets] -= 1
    dscores[targets < 0] = 0
    return dscores


def _norms(network: Any, params: dict[str, Array], dscores: Array, caches: list[Any], steps: int) -> Iterator[Array]:
    """For each distance the sum over all outputs of the norms of their errors, in each direction (D,)."""
    for dstates, _, _ in _errors(network, params, dscores, caches, steps):
        yield np.sqrt((dstates.astype(np.float64) ** 2).sum(axis=(0, 3))).sum(axis=1)


def _errors(network: Any, params: dict[str, Array], dscores: Array, caches: list[Any],
            steps: int) -> Iterator[tuple[Array, Array, Array]]:
    """What ``Recurrent.errors_back`` of the last recurrent layer gives."""
    dx = dscores
    for layer, cache in reversed(list(zip((*network.layers, network.outputs[0]), caches[1:]))):
        if isinstance(layer, Recurrent):
            yield from layer.errors_back(dx, cache, steps)
            return
        dx, _ = layer.backward(params, dx, cache)
