"""Training: it learns, the same way for the same seed, and keeps what was best."""

import numpy as np
import pytest
from samples import SGD, THREE, cue_task

from rnntag.corpus import Sentence
from rnntag.errors import CorpusError, DivergedError, RnntagError
from rnntag.models.options import Options, preset
from rnntag.models.tagger import VECTOR_NORM, RNNTagger
from rnntag.nn.optim import STATES
from rnntag.text.vocab import Vocab
from rnntag.training.tagging import TaggingTask, train_tagger
from rnntag.training.trainer import Trainer

SMALL = {**SGD, "embedding": 8, "hidden": 6, "epochs": 3, "filters": 8, "char_embedding": 4}


def made(base, **changes):
    return Options(**{**base, **changes})


def trainer(sentences=THREE, dev=(), **options):
    options = made(SMALL, **options)
    rng = np.random.default_rng(options.seed)
    return Trainer(TaggingTask(RNNTagger.create(sentences, options, rng), sentences, dev), rng)


def finished(*args, **options):
    """A trainer after its last epoch, and its records."""
    run = trainer(*args, **options)
    return run, list(run.epochs())


def accuracy(tagger, sentences):
    answers = tagger.tag(s.words for s in sentences)
    pairs = [pair for tags, s in zip(answers, sentences) for pair in zip(tags, s.tags)]
    return sum(a == b for a, b in pairs) / len(pairs)


def copy(arrays):
    return {name: array.copy() for name, array in arrays.items()}


def same(one, other):
    return one.keys() == other.keys() and all((one[name] == other[name]).all() for name in one)


# ------------------------------------------------------------------ it learns


TINY = {**SGD, "embedding": 16, "hidden": 16, "filters": 32, "epochs": 60, "dropout": 0.2}
DEEP = made(TINY, dropout=0.0, cell="lstm", layers=2, dense=("12",), optimizer="adam", learning_rate=0.01)


@pytest.mark.parametrize("options", [
    preset("default", epochs=60, learning_rate=0.01), preset("tutorial", epochs=60),
    made(TINY, output="crf"), made(TINY, char_rnn=4), made(TINY, encoder="cnn", window=3),
    made(TINY, dropout=0.0, features="", char_rnn=6, cell="lstm", optimizer="adam"),
    made(TINY, cell="gru", bptt=1), DEEP,
    made(TINY, embedding_rate=1.0, batch_size=3, optimizer="adam", learning_rate=0.02),
], ids=["default", "tutorial", "crf", "char-rnn", "cnn", "char-rnn alone", "bptt", "deep", "batch"])
def test_three_sentences_are_learnt_by_heart(options):
    assert accuracy(train_tagger(THREE, options), THREE) == 1


@pytest.mark.parametrize("optimizer, rate", [
    ("sgd", 0.05), ("momentum", 0.01), ("adagrad", 0.1), ("rmsprop", 0.01), ("adam", 0.01)])
def test_the_loss_falls_with_every_optimiser(optimizer, rate):
    _, records = finished(optimizer=optimizer, learning_rate=rate, epochs=20, dropout=0.0)
    assert records[-1].loss < records[0].loss / 2


CUE = {**SGD, "embedding": 8, "hidden": 8, "filters": 8, "epochs": 25, "features": "form", "dropout": 0.0,
       "word_dropout": 0.0, "optimizer": "adam", "learning_rate": 0.02, "batch_size": 4}


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one direction", "both directions"])
@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_each_network_learns_to_copy_the_first_token(cell, bidirectional, layers):
    options = made(CUE, cell=cell, bidirectional=bidirectional, layers=layers)
    assert accuracy(train_tagger(cue_task(60, 1, 1), options), cue_task(40, 2, 1)) == 1


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_copying_the_last_token_takes_the_backward_direction(cell):
    train, test = cue_task(60, 1, -1), cue_task(40, 2, -1)
    assert accuracy(train_tagger(train, made(CUE, cell=cell)), test) == 1
    assert accuracy(train_tagger(train, made(CUE, cell=cell, bidirectional=False)), test) < 0.8


def test_copying_the_first_token_takes_more_than_the_neighbours():
    tagger = train_tagger(cue_task(60, 1, 1), made(CUE, encoder="cnn", window=3))
    assert accuracy(tagger, cue_task(40, 2, 1)) < 0.9


# ------------------------------------------------------------------ the same again


@pytest.mark.parametrize("options", [
    {}, {"batch_size": 2, "optimizer": "adam", "cell": "lstm", "output": "crf"},
    {"average": 0.5, "char_rnn": 3},
], ids=["default", "batch", "average"])
def test_the_same_seed_gives_the_same_weights_bit_for_bit(options):
    one, other = (finished(**options)[0].result().params for _ in range(2))
    assert same(one, other)
    different = finished(**options, seed=2)[0].result().params
    assert not (one["rnn0.fwd.W_h"] == different["rnn0.fwd.W_h"]).any()


def test_global_random_state_plays_no_part():
    np.random.seed(1)
    one = finished()[0].result().params
    state = np.random.get_state()[1].copy()
    np.random.seed(2)
    assert same(one, finished()[0].result().params)
    np.random.seed(1)
    finished()
    assert (np.random.get_state()[1] == state).all()


def test_a_run_carried_over_ends_with_the_same_weights():
    options = {"optimizer": "adam", "average": 0.7, "epochs": 4, "dev": THREE[:2]}
    whole, records = finished(**options)
    first, second = trainer(**options), trainer(**options)
    next(first.epochs())
    values, arrays = first.state()
    second.restore(values, copy(arrays))
    rest = list(second.epochs())
    assert [r.to_dict() for r in rest] == [r.to_dict() for r in records[1:]]
    assert same(second.result().params, whole.result().params)


# ------------------------------------------------------------------ what is kept


def test_patience_stops_when_the_dev_score_no_longer_rises():
    _, records = finished(dev=THREE, patience=3, epochs=200, dropout=0.0)
    assert records[-1].epoch < 200
    scores = [r.score for r in records]
    assert [r.best for r in records] == [score > max([-1, *scores[:k]]) for k, score in enumerate(scores)]
    assert [r.best for r in records[-4:]] == [True, False, False, False]


def test_without_patience_all_epochs_are_run():
    assert [r.epoch for r in finished(dev=THREE, epochs=30, dropout=0.0)[1]] == list(range(1, 31))


def test_the_best_weights_are_kept_and_the_last_ones_too():
    run = trainer(dev=THREE, epochs=25, dropout=0.0)
    snapshots = [copy(run.task.params) for _ in run.epochs()]
    scores = [accuracy(run.task.tagger.with_params(s), THREE) for s in snapshots]
    best = scores.index(max(scores))
    assert 0 < best < 24  # the first of equal scores, neither the first nor the last epoch
    assert same(run.result().params, snapshots[best])
    assert same(run.result("last").params, snapshots[-1])


def test_without_a_dev_set_the_last_weights_are_kept():
    run, records = finished()
    assert [r.score for r in records] == [None] * 3
    assert same(run.result().params, run.task.params)


def test_averaging_gives_the_mean_of_the_last_updates():
    run = trainer(average=0.5, epochs=4)
    snapshots = []
    for _ in run.epochs(lambda tokens: snapshots.append(copy(run.task.params))):
        pass
    assert len(snapshots) == 12
    mean = {name: np.mean([s[name] for s in snapshots[6:]], axis=0) for name in snapshots[0]}
    assert all(np.allclose(array, mean[name], atol=1e-6) for name, array in run.result().params.items())
    assert not same(run.result().params, run.task.params)


def test_frozen_vectors_stay_as_they_are():
    table = np.array([[0, 0], [1, 2]], np.float32)
    for freeze in (True, False):
        options = made(SMALL, vectors=2, freeze_vectors=freeze)
        found = train_tagger(THREE, options, vectors=(Vocab(["dog"]), table)).params["vectors.table"]
        scaled = VECTOR_NORM * table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-9)
        assert (found == scaled.astype(np.float32)).all() == freeze
        assert not found[0].any()


# ------------------------------------------------------------------ one update


@pytest.mark.parametrize("optimizer", STATES)
def test_how_many_equal_sentences_a_batch_has_does_not_change_its_step(optimizer):
    still = {"optimizer": optimizer, "epochs": 1, "dropout": 0.0, "word_dropout": 0.0, "features": "form",
             "schedule": "constant"}
    one, three = (finished(THREE[:1] * size, batch_size=size, **still)[0].result().params for size in (1, 3))
    start = trainer(THREE[:1], batch_size=1, **still).result().params
    for name, array in one.items():
        assert abs(array - start[name]).max() > 1e-4
        assert np.allclose(array, three[name], atol=1e-5)


def test_each_network_of_an_ensemble_is_clipped_as_if_it_were_alone():
    options = {"dropout": 0.0, "word_dropout": 0.0, "clip": 0.01, "batch_size": 3, "epochs": 2}
    both = trainer(members=2, **options)
    both.task.params["net1.output.W_o"] *= 30  # its gradients are larger by far
    first = trainer(**options)
    for name, array in first.task.params.items():
        array[...] = both.task.params[f"net0.{name}"]
    for run in (both, first):
        list(run.epochs())
    assert all((array == both.task.params[f"net0.{name}"]).all() for name, array in first.task.params.items())


# ------------------------------------------------------------------ records and errors


def test_records_say_what_happened():
    run, records = finished(clip=1e-9, learning_rate=0.3, schedule="linear")
    assert [r.learning_rate for r in records] == pytest.approx([0.3, 0.2, 0.1])
    assert [r.clipped for r in records] == [1, 1, 1]
    assert all(r.seconds > 0 and r.tokens_per_second > 0 for r in records)
    assert 0.5 < records[0].loss < 3  # five tags: log 5 = 1.6 nats a token at the start
    assert "seconds" not in records[0].to_dict()


def test_nothing_is_clipped_without_a_limit():
    assert [r.clipped for r in finished(clip=0)[1]] == [0, 0, 0]


def test_progress_is_told_every_token():
    seen = []
    for _ in trainer(epochs=2).epochs(seen.append):
        pass
    assert sorted(seen) == sorted(2 * [3, 2, 6])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_loss_that_is_not_finite_stops_the_run_with_advice():
    with pytest.raises(RnntagError, match="Lower --learning-rate, or set --clip"):
        finished(clip=0, learning_rate=1e6, activation="relu", epochs=50)


def test_an_update_that_makes_weights_infinite_at_the_end_of_an_epoch_stops_the_run_too():
    run, left = trainer(batch_size=1, epochs=3), 6

    def progress(tokens):
        nonlocal left
        left -= 1
        if left == 0:  # the last of the second epoch
            run.task.params["output.b_o"][0] = np.inf

    epochs = run.epochs(progress)
    next(epochs)
    good = copy(run.result().params)
    with pytest.raises(RnntagError, match="no longer finite at the end of epoch 2. Lower --learning-rate"):
        next(epochs)
    assert same(run.result().params, good)


def test_scores_of_the_dev_set_that_overflow_stop_the_run_too():
    run = trainer(batch_size=1, epochs=3)
    epochs = run.epochs()
    next(epochs)
    good = copy(run.result().params)

    def progress(tokens):
        run.task.params["output.b_o"][...] = 1e38

    run.task.dev = THREE
    with pytest.raises(DivergedError, match="scores are no longer finite at the end of epoch 2. Lower --learning"):
        next(run.epochs(progress))
    assert same(run.last, good)


def test_batches_hold_each_sentence_once_longest_first():
    sentences = [Sentence(["w"] * n, ["T"] * n) for n in (1, 4, 2, 7, 3, 3, 9)]
    run = trainer(sentences, batch_size=3)
    plans = [run._batches() for _ in range(5)]
    for plan in plans:
        assert sorted(i for members in plan for i in members) == list(range(7))
        assert all(len(members) <= 3 for members in plan)
        lengths = [[len(sentences[i]) for i in members] for members in plan]
        assert lengths == [sorted(some, reverse=True) for some in lengths]
    assert any(plan != plans[0] for plan in plans)


# ------------------------------------------------------------------ what it refuses, what it leaves alone

def test_the_tagger_given_to_a_trainer_keeps_its_weights():
    options = made(SMALL)
    tagger = RNNTagger.create(THREE, options, np.random.default_rng(1))
    before = copy(tagger.params)
    for _ in Trainer(TaggingTask(tagger, THREE)).epochs():
        pass
    assert same(tagger.params, before)


def test_empty_sentences_are_left_out():
    with_blanks = [Sentence([], []), *THREE, Sentence([], [])]
    for size in (1, 2):
        assert same(finished(with_blanks, batch_size=size)[0].result().params,
                    finished(THREE, batch_size=size)[0].result().params)


@pytest.mark.parametrize("sentences, message", [
    ([Sentence([], [])], "no sentences"),
    ([Sentence(["a"], ["XX"], line=7)], "line 7: tag 'XX' is not in the tag set"),
    ([Sentence(["a"], None, line=7)], "line 7: a sentence without tags"),
    ([Sentence(["a", "b"], ["NN"], line=7)], "line 7: a sentence without tags"),
])
def test_what_cannot_be_learnt_from_is_refused(sentences, message):
    tagger = RNNTagger.create(THREE, made(SMALL), np.random.default_rng(1))
    with pytest.raises(CorpusError, match=message):
        TaggingTask(tagger, sentences)


def test_the_result_before_the_first_epoch_is_the_untrained_tagger():
    run = trainer()
    assert [len(tags) for tags in run.result().tag([["a", "dog"]])] == [2]
