"""Training a language model: parts side by side, state carried on, resuming."""

import numpy as np
import pytest
from resuming import ends_the_same

from rnntag.errors import CorpusError
from rnntag.models.language_model import LanguageModel, LanguageOptions
from rnntag.nn.packing import Packing
from rnntag.training.language import LanguageTask
from rnntag.training.trainer import Trainer

TEXT = [f"{'the' if k % 3 else 'a'} {'dog' if k % 2 else 'cat'} {'runs' if k % 5 else 'sees it'} .".split(" ")
        for k in range(60)]
SMALL = {"embedding": 6, "hidden": 5, "batch_size": 4, "bptt": 7, "epochs": 3, "dropout": 0.1}


def trainer(text=TEXT, dev=(), **options):
    chosen = LanguageOptions(**{**SMALL, **options})
    rng = np.random.default_rng(chosen.seed)
    return Trainer(LanguageTask(LanguageModel.create(text, chosen, rng), text, dev), rng)


@pytest.mark.parametrize("parts, bptt", [(1, 5), (4, 7), (7, 1), (3, 10_000), (100_000, 3)])
def test_every_unit_is_predicted_once_from_the_one_before(parts, bptt):
    task = trainer(batch_size=parts, bptt=bptt).task
    ids = [unit for words in TEXT for unit in task.network.ids(words)]
    seen = {}
    for (part, start), size in zip(task.items, task.sizes, strict=True):
        piece = task.parts[part][start:start + size + 1]
        seen.setdefault(part, []).extend(zip(piece, piece[1:]))
    pairs = [pair for part in sorted(seen) for pair in seen[part]]
    assert pairs == list(zip([1, *ids], ids))
    assert max(task.sizes) <= bptt and sum(task.sizes) == len(ids)


def test_batches_are_in_the_order_of_the_text():
    one = trainer()
    assert [i for batch in one._batches() for i in batch] == list(range(len(one.task.sizes)))
    assert all(len({one.task.items[i][1] for i in batch}) == 1 for batch in one._batches())


def test_state_is_carried_from_piece_to_piece_and_begins_anew_with_each_epoch():
    one = trainer(dropout=0.0)
    task, rng, batches = one.task, np.random.default_rng(1), one._batches()
    for _ in range(2):
        for state in task.carried.values():
            state[...] = 99
        losses = [task.loss_and_gradient(batch, rng)[0] * len(batch) for batch in batches]
        expected = 0.0
        for part in task.parts:
            ids, targets = part[:-1], part[1:]
            expected -= task.network.log_probabilities(ids, targets, Packing((len(ids),)))[0].sum()
        assert abs(sum(losses) - expected) < 1e-3


def test_it_learns_and_its_score_is_the_mean_log_probability():
    one = trainer(dev=TEXT[:10], epochs=12, learning_rate=0.02, dropout=0.0)
    epochs = list(one.epochs())
    assert epochs[-1].loss < epochs[0].loss / 2
    model = one.result()
    scored = list(model.score(TEXT[:10]))
    mean = sum(s.logs.sum() for s in scored) / sum(s.units for s in scored)
    assert abs(one.at.best_score - mean) < 1e-6 and epochs[-1].score_name == "dev_log_probability"
    assert one.task.shown(-1.0) == "perplexity 2.72"


@pytest.mark.parametrize("options", [{}, {"cell": "gru", "layers": 2, "average": 0.5}, {"candidates": 6}])
def test_a_run_that_is_taken_up_between_two_updates_ends_with_the_same_weights(options, tmp_path):
    ends_the_same(lambda: trainer(dev=TEXT[:5], **options), tmp_path, 1, 9)


def test_nothing_to_learn_is_refused():
    with pytest.raises(CorpusError, match="no sentences"):
        LanguageTask(LanguageModel.create(TEXT, LanguageOptions(**SMALL), np.random.default_rng(1)), [])
