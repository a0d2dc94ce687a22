"""Classifiers: gradients, poolings, answers, folders, and their training."""

import numpy as np
import pytest
from gradcheck import check
from resuming import ends_the_same
from samples import SMALL, THREE, edited

from rnntag.corpus.labelled import Text
from rnntag.errors import ModelError, OptionError
from rnntag.models.classifier import Classifier, ClassifierOptions
from rnntag.models.options import POOLINGS
from rnntag.nn.layers import Rows
from rnntag.nn.packing import interleave, pack
from rnntag.storage import modelfile
from rnntag.training.classifying import ClassificationTask
from rnntag.training.trainer import Trainer

TEXTS = [s.words for s in THREE]
LABELS = ["up", "down", "up"]
KINDS = {**{pooling: {"pooling": pooling} for pooling in POOLINGS},
         "one direction": {"bidirectional": False, "pooling": "last"},
         "convolution": {"encoder": "cnn", "window": 3, "pooling": "attention"},
         "dense": {"dense": ("5:relu",), "cell": "lstm", "char_rnn": 3}, "one-hot": {"embedding": 0, "layers": 2}}


def options(**changes):
    return ClassifierOptions(**{**SMALL, **changes})


def make(seed=1, **changes):
    return Classifier.create(TEXTS, LABELS, options(**changes), np.random.default_rng(seed))


def question(count, seed):
    """Texts whose label is their one word in capitals, somewhere among others."""
    rng = np.random.default_rng(seed)
    texts = []
    for _ in range(count):
        words = list(rng.choice(["a", "b", "c"], rng.integers(2, 9)))
        label = ["X", "Y"][rng.integers(2)]
        words[rng.integers(len(words))] = label
        texts.append(Text(words, label.lower()))
    return texts


def trainer(train, dev=(), **changes):
    chosen = options(**changes)
    rng = np.random.default_rng(chosen.seed)
    made = Classifier.create([t.words for t in train], [t.label for t in train], chosen, rng)
    return Trainer(ClassificationTask(made, train, dev), rng)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_gradients_match_finite_differences(kind):
    made = make(**kind, dropout=0.0)
    rng = np.random.default_rng(3)
    params = {name: array.astype(float) + rng.normal(0, 0.2, array.shape) for name, array in made.params.items()}
    table, order = made.word_table(), [2, 0, 1]
    types = [table.ids(words) for words in TEXTS]
    packing = pack(tuple(len(types[i]) for i in order))
    ids, targets = interleave([types[i] for i in order], packing), np.array([[1], [1], [0]])

    def run():
        return made.network.loss_and_gradient(params, table, ids, targets, packing, None)
    for _ in range(2):
        _, grads = run()
        assert grads.keys() == params.keys()
        grads = {name: gradient.dense(params[name]) if isinstance(gradient, Rows) else gradient
                 for name, gradient in grads.items()}
        check(lambda: run()[0], params, grads, sample=12)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_it_learns_to_find_a_word_among_others(pooling):
    one = trainer(question(80, 1), question(30, 2), pooling=pooling, cell="gru", optimizer="adam", batch_size=8,
                  learning_rate=0.02, epochs=12, word_dropout=0.0, dropout=0.0)
    epochs = list(one.epochs())
    assert one.at.best_score > 0.9 and 2 * epochs[-1].loss < epochs[0].loss < 0.7  # nats for a text: log 2 is chance
    found = list(one.result().probabilities([["a", "X", "b"], ["Y"]]))
    assert list(one.result().classify([["a", "X", "b"], ["Y"]])) == ["x", "y"]
    if pooling == "attention":
        assert found[0].attention.argmax() == 1 and abs(found[0].attention.sum() - 1) < 1e-6
    else:
        assert found[0].attention is None


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_answers_come_in_order_and_do_not_depend_on_the_company(kind):
    made = make(**kind)
    texts = [*TEXTS, [], ["new"], TEXTS[0] * 30, *TEXTS]
    together = list(made.probabilities(iter(texts)))
    assert len(together) == len(texts)
    for text, found in zip(texts, together, strict=True):
        (alone,) = made.probabilities([text])
        np.testing.assert_allclose(found.p, alone.p, atol=1e-6)
        assert abs(found.p.sum() - 1) < 1e-5


@pytest.mark.parametrize("changes", [{}, {"pooling": "attention", "encoder": "cnn"}])
def test_a_run_that_is_taken_up_ends_with_the_same_weights(changes, tmp_path):
    ends_the_same(lambda: trainer(question(20, 1), question(5, 2), **changes), tmp_path, 30)


# ------------------------------------------------------------------ options, folders


@pytest.mark.parametrize("changes, message", [
    ({"pooling": "sum"}, "--pooling: 'sum'"), ({"members": 2}, "members 2; a classifier has 1"),
    ({"output": "crf"}, "output crf; a classifier has softmax"), ({"vectors": 5}, "vectors 5; a classifier has 0"),
    ({"encoder": "cnn", "pooling": "last"}, "--pooling: last with --encoder cnn")])
def test_options_that_a_classifier_has_not_are_refused(changes, message):
    with pytest.raises(OptionError, match=message):
        ClassifierOptions(**changes)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_folder_gives_the_same_classifier_again(kind, tmp_path):
    made = make(**kind)
    made.info = {"note": "small"}
    modelfile.save(tmp_path / "m", made)
    again = modelfile.load(tmp_path / "m", "classifier")
    assert (again.options, again.labels, again.info) == (made.options, made.labels, made.info)
    for one, other in zip(again.probabilities(TEXTS), made.probabilities(TEXTS), strict=True):
        assert np.array_equal(one.p, other.p)
    assert modelfile.read_manifest(tmp_path / "m")["format_version"] == 2


@pytest.mark.parametrize("file, edit, message", [
    ("ids.json", lambda ids: ids.update(labels=[""]), "no labels"),
    ("ids.json", lambda ids: ids.update(labels={"a": [""]}), "these call for features, labels"),
    ("ids.json", lambda ids: ids.pop("labels"), "these call for features, labels"),
    ("ids.json", lambda ids: ids["features"].pop("form"), "other features than the options; these have"),
    ("ids.json", lambda ids: ids["features"].update(form={"a": [""]}), "these call for features|no list"),
    ("ids.json", lambda ids: ids["labels"].append("more"), "output.W_o is .* the options make it"),
    ("model.json", lambda manifest: manifest["options"].update(pooling="sum"), "--pooling is 'sum'"),
    ("model.json", lambda manifest: manifest["options"].update(pooling="attention"), "pooling.W.npy' is missing"),
    ("model.json", lambda manifest: manifest["options"].update(members=2), "members 2; a classifier has 1"),
    ("model.json", lambda manifest: manifest["options"].update(parts={"a": {}}), "a part 'a'"),
])
def test_a_folder_with_other_values_is_refused(file, edit, message, tmp_path):
    edited(tmp_path / "m", make(), file, edit)
    with pytest.raises(ModelError, match=message):
        modelfile.load(tmp_path / "m")


def test_weights_that_are_too_large_are_an_error_with_a_place(tmp_path):
    made = make()
    made.params["output.b_o"][0] = 3e38
    modelfile.save(tmp_path / "m", made)
    with pytest.raises(ModelError, match="m: weights so large that scores overflow"):
        list(modelfile.load(tmp_path / "m").classify(TEXTS))
