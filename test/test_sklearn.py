"""The estimator of scikit-learn: what its own checks can ask of a sequence labeller, its tools, CRF's place."""

import copy
import pickle
import subprocess
import sys
import warnings

import pytest
from conftest import ENVIRONMENT
from samples import sentences

import rnntag

pytest.importorskip("sklearn", reason="scikit-learn is not installed (extra: sklearn)")
from sklearn.base import clone  # noqa: E402
from sklearn.exceptions import NotFittedError  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score  # noqa: E402
from sklearn.utils import estimator_checks  # noqa: E402

from rnntag.adapters.sklearn import RNNTaggerClassifier  # noqa: E402

CORPUS = sentences(60)
X, Y = [s.words for s in CORPUS], [s.tags for s in CORPUS]
SMALL = {"epochs": 10, "batch_size": 2, "hidden": 8, "embedding": 8}
CHECKS = [  # those that do not call fit with arrays of numbers
    "do_not_raise_errors_in_init_or_set_params", "estimator_cloneable", "estimator_repr", "estimator_tags_renamed",
    "estimators_unfitted", "get_params_invariance", "mixin_order", "no_attributes_set_in_init",
    "parameters_default_constructible", "set_params", "valid_tag_types"]


@pytest.fixture(scope="module")
def fitted():
    return RNNTaggerClassifier(**SMALL).fit(X, Y)


@pytest.mark.parametrize("name", CHECKS)
def test_scikit_learn_s_checks(name):
    if not hasattr(estimator_checks, f"check_{name}"):
        pytest.skip(f"this scikit-learn has no check_{name}")
    getattr(estimator_checks, f"check_{name}")("RNNTaggerClassifier", RNNTaggerClassifier(**SMALL))


def test_check_estimator_finds_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has no sentences to check the rest with
        estimator_checks.check_estimator(RNNTaggerClassifier(**SMALL))


def test_what_the_other_checks_ask_with_sentences(fitted):
    given = copy.deepcopy((X, Y))
    again = clone(fitted)
    before = vars(again).copy()
    assert again.fit(X, Y) is again and (X, Y) == given  # fit returns self and leaves its arguments alone
    assert {name: value for name, value in vars(again).items() if not name.endswith("_")} == before
    tags = fitted.predict(X)
    assert tags.shape == (60,) and [*map(list, tags)] == [*map(list, again.predict(X))]  # idempotent
    assert [*pickle.loads(pickle.dumps(fitted)).predict(X)] == [*tags]
    assert [*fitted.predict(X[::-1])] == [*tags[::-1]]  # order
    assert [fitted.predict([words])[0] for words in X[:5]] == [*tags[:5]]  # subsets
    for method in ("predict", "predict_proba", "predict_marginals"):
        with pytest.raises(NotFittedError):
            getattr(RNNTaggerClassifier(), method)(X)


def test_the_answers_are_those_of_the_tagger(fitted):
    assert [*fitted.predict(X)] == list(fitted.tagger_.tag(X))
    assert list(fitted.classes_) == sorted({tag for tags in Y for tag in tags})
    p, marginals = fitted.predict_proba(X), fitted.predict_marginals(X)
    assert p[0].shape == (len(X[0]), len(fitted.classes_)) and p[0].sum(axis=1) == pytest.approx(1)
    assert [list(row.values()) for row in marginals[0]] == p[0].tolist() and list(marginals[0][0]) == [
        *fitted.classes_]
    right = sum(a == b for tags, answer in zip(Y, fitted.predict(X)) for a, b in zip(tags, answer))
    assert fitted.score(X, Y) == right / sum(map(len, Y)) > 0.8
    assert fitted.predict([["the"], ["to"]]).shape == (2,) and fitted.predict([[]])[0] == []


def test_fit_is_train():
    alone = rnntag.train([list(zip(words, tags)) for words, tags in zip(X, Y)], preset="tutorial", epochs=3, seed=7)
    fitted = RNNTaggerClassifier(preset="tutorial", epochs=3, seed=7).fit(X, Y)
    assert all((alone.params[name] == fitted.tagger_.params[name]).all() for name in alone.params)
    scored = RNNTaggerClassifier(**SMALL).fit(X[:40], Y[:40], X[40:], Y[40:])
    assert scored.tagger_.info["dev"]["sentences"] == 20
    assert RNNTaggerClassifier(dev_fraction=0.2, **SMALL).fit(X, Y).tagger_.info["dev"]["sentences"] == 12


def test_a_grid_is_searched_and_folds_are_predicted():
    search = GridSearchCV(RNNTaggerClassifier(**SMALL), {"epochs": [1, 10], "cell": ["elman", "gru"]}, cv=2)
    search.fit(X, Y)
    assert search.best_params_["epochs"] == 10 and search.best_estimator_.tagger_.options.epochs == 10
    scores = search.cv_results_["mean_test_score"]
    assert len(set(scores)) > 1 and max(scores) == search.best_score_
    estimator = RNNTaggerClassifier(**SMALL)
    predicted = cross_val_predict(estimator, X, Y, cv=3)
    assert [*map(len, predicted)] == [*map(len, X)]
    assert [*predicted[:20]] == [*clone(estimator).fit(X[20:], Y[20:]).predict(X[:20])]
    assert len(cross_val_score(estimator, X, Y, cv=3)) == 3


@pytest.mark.parametrize("x, y, message", [
    (X, Y[:-1], "60 sentences in X with .* 59 in y"), ([["a", "b"]], [["X"]], "2 tokens, 1 in y with 1 tags"),
    ([], [], "no tagged sentences"), ([[1]], [["X"]], "token 1 is 1"), (["the dog"], [["X"]], "X is not a list of"),
    (X, None, "y is not a list"), ([1], [1], "X is not a list"), (X, [1] * 60, "y is not a list of lists of tags"),
    ([[{"a": "b"}]], [["X"]], "no feature 'word'")])
def test_sentences_that_are_wrong(x, y, message):
    with pytest.raises(ValueError, match=message):
        RNNTaggerClassifier(**SMALL).fit(x, y)


def test_options_that_are_wrong():
    with pytest.raises(TypeError, match="nonsense"):
        RNNTaggerClassifier(nonsense=1)
    with pytest.raises(ValueError, match="nonsense"):
        RNNTaggerClassifier().set_params(nonsense=1)
    with pytest.raises(ValueError, match="--epochs: -1"):
        RNNTaggerClassifier(epochs=-1).fit(X, Y)
    with pytest.raises(ValueError, match="it would change nothing"):
        RNNTaggerClassifier(window=3).fit(X, Y)


def features(sentence, i):
    """As in sklearn_crfsuite's tutorial."""
    word = sentence[i]
    found = {"bias": 1.0, "word.lower()": word.lower(), "word[-3:]": word[-3:], "word.istitle()": word.istitle()}
    return found | ({"-1:word.lower()": sentence[i - 1].lower()} if i else {"BOS": True})


@pytest.mark.parametrize("estimator", ["CRF", "RNNTaggerClassifier"])
def test_one_line_replaces_crf(estimator):
    if estimator == "CRF":
        CRF = pytest.importorskip("sklearn_crfsuite", reason="sklearn-crfsuite is not installed").CRF
    x = [[features(words, i) for i in range(len(words))] for words in X]

    if estimator == "CRF":
        crf = CRF(algorithm="lbfgs", c1=0.1, c2=0.1, max_iterations=100, all_possible_transitions=True)
    else:
        crf = RNNTaggerClassifier(word="word.lower()", **SMALL)

    crf.fit(x[:40], Y[:40])
    assert set(crf.classes_) <= {"DT", "NN", "TO", "VB"}
    assert len(crf.predict(x[40:])) == len(crf.predict_marginals(x[40:])) == 20
    assert crf.score(x[40:], Y[40:]) > 0.8
    assert GridSearchCV(crf, {}, cv=2).fit(x, Y).best_score_ > 0.5


def test_a_missing_library_is_named_with_its_extra():
    program = ("import sys; sys.modules['sklearn'] = None\n"
               "try:\n import rnntag.adapters.sklearn\nexcept ImportError as error: print(error)")
    result = subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, timeout=60)
    assert b"pip install 'rnntag[sklearn]'" in result.stdout
