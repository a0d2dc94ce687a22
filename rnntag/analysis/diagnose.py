"""The vanishing and the exploding gradient made visible     (seed 000, "Vanishing Gradient"; seed 002,
"Long-Term Dependencies": the norm of d loss_t / d h_k goes like gamma^(t-k))."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ..corpus import Sentence
from ..errors import OptionError
from ..models.answers import chunks
from ..models.columns import column
from ..models.tagger import RNNTagger, batches
from ..nn.layers import Array, softmax
from ..nn.packing import interleave
from ..nn.recurrent import Recurrent


@np.errstate(over="ignore", invalid="ignore")
def gradient_norms(tagger: RNNTagger, sentences: Iterable[Sentence], steps: int) -> Array:
    """Mean over t of || d loss_t / d s_(t-k) || for k = 0 .. steps, of the last RNN layer: (D, steps + 1).

    loss_t is the negative log-likelihood of the right tag of the first column by the softmax of the scores of t;
    s is the cell's state, h or for an LSTM [h, c]. One row for each direction; in the backward
    direction k counts words to the right. Where no sentence is longer than k the mean is nan.

    Raises OptionError for a network without an RNN over words, ModelError when scores overflow.
    """
    if tagger.options.members > 1:
        raise OptionError(f"{tagger.options.members} networks", "one is looked at at a time",
                          "Train it with --members 1.", "diagnose")
    if not any(isinstance(layer, Recurrent) for layer in tagger.network.layers):
        raise OptionError("a convolution", "only a recurrent network has gradients over time",
                          "Train it with --encoder rnn.", "diagnose")
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
            dscores = softmax(tagger.finite(scores))
            dscores[np.arange(len(packing)), targets] -= 1
            dscores[targets < 0] = 0  # tags that the model does not have
            for k, (dstates, _, _) in enumerate(_errors(network, params, dscores, [*caches, cache], steps)):
                total[:, k] += np.sqrt((dstates.astype(np.float64) ** 2).sum(axis=(0, 3))).sum(axis=1)
                count[k] += np.maximum(packing.lengths - k, 0).sum()
    return total / count


def _errors(network: Any, params: dict[str, Array], dscores: Array, caches: list[Any],
            steps: int) -> Iterator[tuple[Array, Array, Array]]:
    """What ``Recurrent.errors_back`` of the last recurrent layer gives."""
    dx = dscores
    for layer, cache in reversed(list(zip((*network.layers, network.outputs[0]), caches[1:]))):
        if isinstance(layer, Recurrent):
            yield from layer.errors_back(dx, cache, steps)
            return
        dx, _ = layer.backward(params, dx, cache)
