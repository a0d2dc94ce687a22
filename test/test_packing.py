"""Where the tokens of a batch stand, and the order in which directions read them."""

import numpy as np
import pytest
import reference
from gradcheck import LENGTHS

from rnntag.nn.packing import Packing, Reading, batches, blocks, interleave, looked_up, pack, to_rows, to_tokens


@pytest.mark.parametrize("lengths", [*LENGTHS.values(), (5, 2, 2, 1), (1,), (1, 1, 1)])
def test_packing_says_where_each_token_stands(lengths):
    p, B = Packing(lengths), len(lengths)
    order = reference.order(lengths)
    row = {place: n for n, place in enumerate(order)}
    assert len(p) == sum(lengths)
    assert list(zip(p.sentence, p.time)) == order
    assert p.reverse.tolist() == [row[s, lengths[s] - 1 - t] for s, t in order]
    assert p.previous.tolist() == [B + row[s, t - 1] if t else row[s, 0] for s, t in order]
    assert p.rank.tolist() == [row[s, 0] for s in range(B)]
    assert p.last.tolist() == [B + row[s, length - 1] for s, length in enumerate(lengths)]
    assert (p.reverse[p.reverse] == np.arange(len(p))).all()


@pytest.mark.parametrize("lengths", [*LENGTHS.values(), (5, 2, 2, 1), (1,)])
def test_steps_are_blocks_that_follow_each_other(lengths):
    p, B = Packing(lengths), len(lengths)
    order = reference.order(lengths)
    for t, (rows, before) in enumerate(p.steps):
        assert order[rows] == [(s, t) for s, _ in order[:B] if t < lengths[s]]
        assert [B + row for row in range(before.start, before.stop)] == p.previous[rows].tolist()
    assert len(p.steps) == max(lengths)


def test_the_second_direction_reads_each_sentence_from_its_end():
    packing = pack((3, 1))  # tokens: a1 b1 a2 a3, as 0 1 2 3; of the backward direction as 4 5 6 7
    tokens = np.array([[0, 4], [1, 5], [2, 6], [3, 7]])[:, :, None, None]
    assert to_rows(tokens, packing.read(2)).ravel().tolist() == [0, 1, 7, 5, 2, 6, 3, 4]
    assert to_rows(tokens[:, :1], packing.read(1)).ravel().tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("D", [1, 2])
@pytest.mark.parametrize("lengths", [*LENGTHS.values(), (5, 2, 2, 1), (1,), (1, 1, 1)])
def test_a_reading_says_where_each_direction_stands(lengths, D):
    packing, reading = Packing(lengths), Reading(Packing(lengths), D)
    ranked = packing.sentence[:len(lengths)].tolist()
    rows = [(t, d, s) for t in range(max(lengths)) for d in range(D) for s in ranked if t < lengths[s]]
    states = [(-1, d, s) for d in range(D) for s in ranked] + rows
    for d in range(D):
        assert [rows[r] for r in reading.order[d]] == [(t, d, s) for s, t in zip(packing.sentence, packing.time)]
        assert [rows[r] for r in reading.place[:, d]] == [
            (lengths[s] - 1 - t if d else t, d, s) for s, t in zip(packing.sentence, packing.time)]
        assert [states[r] for r in reading.last[d]] == [(length - 1, d, s) for s, length in enumerate(lengths)]
    assert [states[r] for r in reading.previous] == [(t - 1, d, s) for t, d, s in rows]
    assert (reading.source[reading.place.ravel()] == np.arange(len(rows))).all()
    a = np.arange(len(rows) * 6.0).reshape(2, len(rows), 3)
    assert (to_rows(to_tokens(a, reading), reading) == a).all()
    for t, step in enumerate(blocks(a, reading)):
        assert (step.reshape(2, -1, 3) == a[:, [row[0] == t for row in rows]]).all()
        assert np.shares_memory(step, a)


def test_what_is_known_of_words_is_looked_up_for_their_tokens():
    packing, words = pack((2, 1)), np.arange(24.0).reshape(3, 2, 2, 2)  # of 3 words, 2 directions, 2 gates, H 2
    for D in (1, 2):
        reading, types, z = packing.read(D), np.array([2, 0, 2]), words[:, :D]
        steps = [step.copy() for step in looked_up(z, types, reading)]  # each in the place of the one before
        assert all((a == b).all() for a, b in zip(steps, blocks(to_rows(z[types], reading), reading), strict=True))


def test_interleave_puts_words_in_the_order_of_their_steps():
    a, b, c = np.array([10, 11, 12]), np.array([20, 21]), np.array([30])
    assert interleave([a, b, c], pack((3, 2, 1))).tolist() == [10, 20, 30, 11, 21, 12]
    assert interleave([b, c, a], pack((2, 1, 3))).tolist() == [10, 20, 30, 11, 21, 12]
    assert interleave([a], pack((3,))).tolist() == [10, 11, 12]


def test_neighbours_stop_at_the_ends_of_the_sentence():
    # rows: a1=0 b1=1 a2=2 b2=3 a3=4; -1 stands for none
    assert pack((3, 2)).neighbours(3).tolist() == [[-1, 0, 2], [-1, 1, 3], [0, 2, 4], [1, 3, -1], [2, 4, -1]]
    assert pack((2,)).neighbours(5).tolist() == [[-1, -1, 0, 1, -1], [-1, 0, 1, -1, -1]]
    assert pack((2,)).neighbours(1).tolist() == [[0], [1]]


@pytest.mark.parametrize("lengths", [*LENGTHS.values(), (5, 2, 2, 1), (1,)])
def test_neighbours_are_of_the_same_sentence(lengths):
    p = Packing(lengths)
    row = {place: n for n, place in enumerate(zip(p.sentence.tolist(), p.time.tolist()))}
    for n, (s, t) in enumerate(list(row)):
        assert p.neighbours(3)[n].tolist() == [row.get((s, t + k), -1) for k in (-1, 0, 1)]


def test_a_sentence_longer_than_a_batch_is_one():
    assert [members for members, _ in batches([2, 9, 0, 1], 3)] == [[1], [0, 3]]
