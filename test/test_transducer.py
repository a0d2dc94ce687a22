"""The transducer: it learns, answers alike however it is asked, and is as safe to load as a tagger."""

import json

import numpy as np
import pytest
from resuming import ends_the_same
from samples import seal

from rnntag.corpus.pairs import Pair, Question
from rnntag.errors import ModelError, OptionError
from rnntag.models.transducer import Transducer, TransducerOptions, limit
from rnntag.storage.modelfile import IDS, MANIFEST, load, read_manifest, save
from rnntag.training.trainer import Trainer
from rnntag.training.transducing import TransducingTask, train_transducer

SMALL = {"embedding": 12, "hidden": 24, "epochs": 30, "batch_size": 8, "learning_rate": 0.01, "dropout": 0.0}


def reversals(count, seed, letters="abcde", longest=6):
    rng = np.random.default_rng(seed)
    words = ["".join(rng.choice(list(letters), rng.integers(1, longest + 1))) for _ in range(count)]
    return [Pair(list(word), list(word[::-1])) for word in words]


def share(transducer, pairs, beam=1):
    """How many come out right."""
    answers = transducer.transduce((Question(pair.source, pair.tags) for pair in pairs), beam)
    return np.mean([best[0].symbols == list(pair.target) for best, pair in zip(answers, pairs)])


@pytest.fixture(scope="module")
def reverser():
    return train_transducer(reversals(300, 1), TransducerOptions(**SMALL))


@pytest.fixture
def folder(reverser, tmp_path):
    save(tmp_path / "m", reverser)
    return tmp_path / "m"


def test_it_learns_to_reverse_strings_that_it_has_not_seen(reverser):
    assert share(reverser, reversals(100, 2)) >= 0.95


@pytest.mark.parametrize("options", [{"attention": "additive"}, {"cell": "lstm"}, {"cell": "elman"}])
def test_every_kind_learns(options):
    pairs = reversals(200, 1, longest=3)
    assert share(train_transducer(pairs, TransducerOptions(**{**SMALL, **options})), pairs) >= 0.9


def test_the_answer_depends_on_the_tags_where_there_are_some():
    pairs = [Pair(pair.source, pair.target if back else pair.source, ("back",) if back else ("keep", "it"))
             for pair in reversals(150, 3, longest=3) for back in (False, True)]
    transducer = train_transducer(pairs, TransducerOptions(**SMALL))
    assert share(transducer, pairs) >= 0.95
    assert next(transducer.transduce([Question("ab", ("never", "seen"))]))[0].log_probability <= 0


def test_answers_do_not_depend_on_what_else_is_asked(reverser):
    asked = [Question(list(word)) for word in ("abc", "", "e", "abc", "edcbaabcde", "zzz", "d")]
    together = list(reverser.transduce(asked, 3))
    alone = [next(reverser.transduce([question], 3)) for question in asked]
    one_by_one = list(reverser.transduce(iter(asked), 3, ahead=1))
    assert [[a.symbols for a in found] for found in together] == [[a.symbols for a in found] for found in alone]
    assert [[a.symbols for a in found] for found in one_by_one] == [[a.symbols for a in found] for found in alone]
    for found, other in zip(together, alone):
        assert [a.log_probability for a in found] == pytest.approx([a.log_probability for a in other], abs=1e-4)
        assert [a.log_probability for a in found] == sorted((a.log_probability for a in found), reverse=True)


def test_asking_streams(reverser):
    def endless():
        while True:
            yield Question("ab")
    assert next(reverser.transduce(endless()))[0].symbols == ["b", "a"]


def test_an_unknown_symbol_is_copied_from_where_attention_is():
    pairs = [Pair(list(word), list(word)) for word in ("ab", "ba", "aXb", "bYa", "Zab", "baW")] * 8
    transducer = train_transducer(pairs, TransducerOptions(**{**SMALL, "min_count": 9, "epochs": 60}))
    assert transducer.target.strings == ["", "a", "b"]
    assert next(transducer.transduce([Question(list("aXb"))]))[0].symbols == list("aXb")
    assert next(transducer.transduce([Question(list("aQb"))]))[0].symbols == list("aQb")


def test_attention_of_reversal_is_at_the_other_end(reverser):
    (weights,) = reverser.alignments([Pair(list("abcd"), list("dcba"))])
    assert weights.shape == (5, 5) and np.allclose(weights.sum(axis=1), 1)


def test_no_answer_is_longer_than_its_limit(reverser):
    unending = reverser.with_params({name: array.copy() for name, array in reverser.params.items()})
    unending.params["output.b_o"][-1] = -100
    (answers,) = unending.transduce([Question("ab")], 2)
    assert {len(answer.symbols) for answer in answers} == {limit(3)}


# ------------------------------------------------------------------ model folder


def test_it_comes_back_as_it_was_saved(reverser, folder):
    again = load(folder, "transducer")
    assert read_manifest(folder)["format_version"] == 2 and again.place == folder
    assert again.options == reverser.options and again.source == reverser.source and again.tags == reverser.tags
    assert list(again.transduce([Question("abc")])) == list(reverser.transduce([Question("abc")]))


@pytest.mark.parametrize("change, message", [
    ({"cell": "transformer"}, "--cell is 'transformer'"), ({"hidden": 10 ** 9}, "--hidden is 1000000000"),
    ({"attention": "os.system"}, "--attention is 'os.system'"), ({"unit": 3}, "--unit is 3"),
    ({"features": "form"}, "'features' is no option"), ({"hidden": 25}, "its shape (12, 75) takes 3,600"),
    ({"parts": {"x": {}}}, "a part 'x'"), ({"min_count": 0}, "--min-count is 0")])
def test_options_that_do_not_fit_are_refused(folder, change, message):
    seal(folder, options=json.loads((folder / MANIFEST).read_text())["options"] | change)
    with pytest.raises(ModelError) as error:
        load(folder)
    assert message in str(error.value) and str(error.value).startswith(str(folder))


@pytest.mark.parametrize("edit", [
    lambda ids: ids.pop("tags"), lambda ids: ids.update(more=[""]), lambda ids: ids.update(source={"x": [""]}),
    lambda ids: ids["source"].append("more"), lambda ids: ids["tags"].append("more"), lambda ids: ids.clear()])
def test_id_maps_that_do_not_fit_are_refused(folder, edit):
    ids = json.loads((folder / IDS).read_text())
    edit(ids)
    (folder / IDS).write_text(json.dumps(ids))
    seal(folder)
    with pytest.raises(ModelError):
        load(folder)


def test_a_model_of_format_1_has_no_transducer(folder):
    seal(folder, format_version=1)
    with pytest.raises(ModelError, match="came with version 2"):
        load(folder)


def test_weights_that_overflow_end_with_an_error_that_names_the_model(folder):
    transducer = load(folder)
    for array in transducer.params.values():
        array.fill(3e38)
    with pytest.raises(ModelError, match="scores overflow") as error:
        list(transducer.transduce([Question("abc")]))
    assert str(error.value).startswith(str(folder))


def test_options_are_checked():
    with pytest.raises(OptionError, match="--dropout: 1; it is at least 0"):
        TransducerOptions(dropout=1)
    with pytest.raises(OptionError, match="'char_rnn' is no option"):
        TransducerOptions.from_dict({"char_rnn": 3})


def test_it_says_what_it_is(reverser):
    assert repr(reverser).startswith("<Transducer: 5 to 5 symbols, ")
    assert isinstance(reverser, Transducer)


@pytest.mark.parametrize("changes", [{}, {"attention": "additive", "cell": "lstm", "average": 0.5}])
def test_a_run_that_is_taken_up_ends_with_the_same_weights(changes, tmp_path):
    pairs = reversals(40, 1)
    options = TransducerOptions(**{**SMALL, "epochs": 3, "dropout": 0.3, **changes})

    def start():
        rng = np.random.default_rng(options.seed)
        return Trainer(TransducingTask(Transducer.create(pairs, options, rng), pairs, pairs[:5]), rng)

    ends_the_same(start, tmp_path, 5, 7, 13)


def test_a_trained_transducer_leaves_the_one_it_began_with_alone():
    pairs = [Pair(("a",), ("b",), ())] * 2
    first = Transducer.create(pairs, TransducerOptions(embedding=4, hidden=4), np.random.default_rng(1))
    task = TransducingTask(first, pairs)
    assert not any(np.shares_memory(task.params[name], array) for name, array in first.params.items())
    assert task.sizes == [4, 4]  # letters and ends
