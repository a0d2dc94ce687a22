from rnntag.text.vocab import UNKNOWN, Vocab


def test_ids_are_places_in_the_list_and_0_is_unknown():
    vocab = Vocab(["NN", "VB"])
    assert vocab.strings == [UNKNOWN, "NN", "VB"]
    assert (vocab["NN"], vocab["VB"], vocab["XX"]) == (1, 2, 0)
    assert vocab.ids(["VB", "XX", "NN"]) == [2, 0, 1]
    assert len(vocab) == 3


def test_the_unknown_string_is_not_in_a_vocabulary():
    assert "NN" in Vocab(["NN"])
    assert UNKNOWN not in Vocab(["NN"])
    assert "XX" not in Vocab(["NN"])


def test_build_sorts_by_frequency_then_alphabetically():
    assert Vocab.build("b a c c a b d".split()).strings[1:] == ["a", "b", "c", "d"]
    assert Vocab.build("z z a".split()).strings[1:] == ["z", "a"]


def test_build_leaves_out_what_is_rarer_than_min_count():
    assert Vocab.build("a a b b c".split(), min_count=2).strings[1:] == ["a", "b"]


def test_build_leaves_out_the_empty_string_whose_id_is_that_of_the_unknown():
    vocab = Vocab.build(["", "", "a"])
    assert vocab.strings == [UNKNOWN, "a"] and vocab[""] == 0


def test_equal_means_the_same_strings_in_the_same_order():
    assert Vocab(["a", "b"]) == Vocab(["a", "b"])
    assert Vocab(["a", "b"]) != Vocab(["b", "a"])
    assert Vocab(["a"]) != ["", "a"]
