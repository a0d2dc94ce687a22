"""Our own network in PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from rnntag.corpus import Sentence

from .base import Tags

CHANGES: dict[str, Any] = {"average": 0.0}  # options that a twin needs
LSTM = {"cell": "lstm", "hidden": 128, "batch_size": 32}


def pytorch(preset_name: str, **changes: Any) -> Callable[[Sequence[Sentence], int], Tags]:
    """The network of a preset in PyTorch (twins.py), trained as ours is."""
    def train(sentences: Sequence[Sentence], seed: int) -> Tags:
        import numpy as np
        import torch
        from twins import Twin

        from rnntag.models.options import preset
        from rnntag.models.tagger import RNNTagger

        options = preset(preset_name, seed=seed, **changes, **CHANGES)
        rng = np.random.default_rng(seed)
        torch.manual_seed(seed)
        twin = Twin(RNNTagger.create(sentences, options, rng), sentences,
                    "module" if options.batch_size == 1 else "padded")
        lengths, size = np.array([len(s) for s in sentences]), options.batch_size
        for epoch in range(options.epochs):
            order = rng.permutation(len(sentences))
            pools = (order[k:k + 64 * size] for k in range(0, len(order), 64 * size))  # of similar length
            ranked = [pool[np.argsort(-lengths[pool], kind="stable")] for pool in pools]
            plan = list(chain.from_iterable([p[k:k + size] for k in range(0, len(p), size)] for p in ranked))
            for number, batch in enumerate(rng.permutation(len(plan))):
                twin.update(plan[batch].tolist(), (epoch + number / len(plan)) / options.epochs)
        return twin
    return train
