"""Connectionist temporal classification, against sums and maxima over all paths."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from layerwise.from_scratch.losses import log_softmax
from layerwise.tasks.speech.ctc import BLANK, aligned, beam_search, ctc_loss, greedy

FRAMES, SYMBOLS = 4, 3
LOGITS = arrays("float64", st.tuples(st.integers(1, FRAMES), st.just(SYMBOLS + 1)), elements=st.floats(-4, 4, width=32))


def collapsed(path):
    """What a path spells: symbols side by side are one, blanks go."""
    return tuple(symbol for symbol, _ in itertools.groupby(path) if symbol != BLANK)


def all_paths(logits):
    """Each path with its log-probability, by what it spells."""
    logs = log_softmax(np.asarray(logits, "float64"))
    found = {}
    for path in itertools.product(range(logs.shape[1]), repeat=len(logs)):
        score = float(sum(logs[frame, symbol] for frame, symbol in enumerate(path)))
        found.setdefault(collapsed(path), []).append((path, score))
    return found


def log_likelihood(logits, symbols):
    return float(np.logaddexp.reduce([score for _, score in all_paths(logits)[tuple(symbols)]]))


def drawn_logits(frames, seed):
    return np.random.default_rng(seed).normal(0, 2, [frames, SYMBOLS + 1])


def loss_of(logits, *targets):
    """`ctc_loss` of a batch of the same logits."""
    rows = np.zeros([len(targets), max(1, *map(len, targets))], "int32")
    for row, target in zip(rows, targets, strict=True):
        row[: len(target)] = target
    return float(np.asarray(ctc_loss(rows, np.stack([logits.astype("float32")] * len(targets)))))


@pytest.mark.parametrize("target", [(1,), (2, 1), (1, 1), (3, 3), (1, 2, 3), (2, 1, 2), (1, 2, 3, 1)])
def test_the_loss_is_that_of_all_paths(target):
    logits = drawn_logits(FRAMES, seed=sum(target))
    assert loss_of(logits, target) == pytest.approx(-log_likelihood(logits, target), rel=1e-4)


def test_the_loss_where_nothing_is_said_is_that_of_blanks():
    logits = drawn_logits(FRAMES, seed=1)
    expected = -log_softmax(logits)[:, BLANK].sum()
    assert loss_of(logits, ()) == pytest.approx(expected, rel=1e-4)
    assert -log_likelihood(logits, ()) == pytest.approx(expected)


def test_the_loss_is_the_mean_over_the_batch_whatever_fills_the_targets_up():
    logits = drawn_logits(FRAMES, seed=2)
    targets = [(1, 2, 3), (2,), (), (3, 3)]
    expected = np.mean([-log_likelihood(logits, target) for target in targets])
    assert loss_of(logits, *targets) == pytest.approx(expected, rel=1e-4)
    assert loss_of(logits, (2,)) == pytest.approx(loss_of(logits, (2, 0, 0, 0, 0)), rel=1e-5)


def test_the_loss_takes_half_precision():
    logits = drawn_logits(FRAMES, seed=3)
    half = float(np.asarray(ctc_loss(np.array([[1, 2]]), logits[None].astype("float16"))))
    assert half == pytest.approx(-log_likelihood(logits, (1, 2)), rel=1e-2)


def test_the_slope_of_the_loss_is_finite_where_nothing_is_said():
    import keras

    from layerwise import engines

    model = keras.Sequential([keras.Input((6, 2)), keras.layers.Dense(SYMBOLS + 1)])
    inputs = np.random.default_rng(0).normal(size=(3, 6, 2)).astype("float32")
    targets = np.array([[0, 0], [1, 0], [2, 2]], "int32")
    for gradient in engines.current().weight_gradients(model, ctc_loss, inputs, targets):
        assert np.isfinite(gradient).all()
        assert np.abs(gradient).max() > 0


@given(LOGITS)
@settings(deadline=None)
def test_greedy_is_the_likeliest_symbol_of_each_frame(logits):
    logs = log_softmax(logits)
    path = logs.argmax(axis=1)
    spikes = greedy(logits)
    assert tuple(spike.symbol for spike in spikes) == collapsed(path)
    for spike in spikes:
        inside = slice(spike.first, spike.last + 1)
        assert (path[inside] == spike.symbol).all()
        assert path[spike.first - 1] != spike.symbol or spike.first == 0
        assert spike.last + 1 == len(path) or path[spike.last + 1] != spike.symbol
        assert spike.confidence == pytest.approx(np.exp(logs[inside, spike.symbol].max()))


def test_nothing_is_heard_in_no_frames_and_in_blanks():
    assert greedy(np.zeros([0, SYMBOLS + 1])) == []
    assert greedy(np.eye(SYMBOLS + 1)[[BLANK, BLANK]]) == []
    assert beam_search(np.zeros([0, SYMBOLS + 1])) == [((), 0.0)]
    assert aligned(np.zeros([3, SYMBOLS + 1]), ()) == []


@given(LOGITS)
@settings(max_examples=30, deadline=None)
def test_with_beams_enough_the_search_is_complete(logits):
    expected = {
        sequence: float(np.logaddexp.reduce([score for _, score in paths]))
        for sequence, paths in all_paths(logits).items()
    }
    found = beam_search(logits, beams=1000)
    assert dict(found).keys() == expected.keys()
    for sequence, score in found:
        assert score == pytest.approx(expected[sequence], abs=1e-9)
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)
    assert np.logaddexp.reduce(scores) == pytest.approx(0, abs=1e-9)


@given(LOGITS, st.integers(1, 6))
@settings(max_examples=50, deadline=None)
def test_with_few_beams_no_more_is_claimed_than_there_is(logits, beams):
    found = beam_search(logits, beams)
    assert 1 <= len(found) <= beams
    assert len({sequence for sequence, _ in found}) == len(found)
    for sequence, score in found:
        assert score <= log_likelihood(logits, sequence) + 1e-9


def test_many_ways_together_are_likelier_than_the_likeliest_path():
    """Graves 2006: the likeliest symbol of each frame is a blank, yet the likeliest sequence has a symbol."""
    logits = np.log(np.array([[0.6, 0.4], [0.6, 0.4]]))
    assert greedy(logits) == []
    (best, score), (other, rest) = beam_search(logits)
    assert (best, other) == ((1,), ())
    assert np.exp([score, rest]) == pytest.approx([0.64, 0.36])


def test_a_symbol_beside_its_like_needs_a_blank_between():
    logits = 20.0 * np.eye(3)[[1, 1, 0, 1, 2]]
    assert [spike.symbol for spike in greedy(logits)] == [1, 1, 2]
    assert beam_search(logits)[0][0] == (1, 1, 2)
    assert [(spike.first, spike.last) for spike in aligned(logits, (1, 1, 2))] == [(0, 1), (3, 3), (4, 4)]


def test_sure_blanks_cost_the_search_next_to_nothing():
    """They are passed over quickly, which must not change what is heard."""
    random = np.random.default_rng(4)
    logits = np.full([60, SYMBOLS + 1], -9.0)
    logits[:, BLANK] = 9.0
    places = [5, 20, 21, 40]
    logits[places] = random.normal(0, 1, [4, SYMBOLS + 1])
    (best, score), *_ = beam_search(logits, 50)
    only = beam_search(np.concatenate([logits[5:6], logits[4:5], logits[20:22], logits[4:5], logits[40:41]]), 50)
    assert best == only[0][0]
    assert score == pytest.approx(only[0][1], abs=0.02)


@given(LOGITS, st.lists(st.integers(1, SYMBOLS), min_size=1, max_size=FRAMES))
@settings(max_examples=100, deadline=None)
def test_symbols_stand_where_the_likeliest_path_has_them(logits, symbols):
    if len(symbols) + sum(a == b for a, b in itertools.pairwise(symbols)) > len(logits):
        return
    paths = all_paths(logits)[tuple(symbols)]
    best = max(score for _, score in paths)
    spikes = aligned(logits, symbols)
    assert [spike.symbol for spike in spikes] == symbols
    path = [BLANK] * len(logits)
    for spike in spikes:
        path[spike.first : spike.last + 1] = [spike.symbol] * (spike.last + 1 - spike.first)
    logs = log_softmax(logits)
    assert collapsed(path) == tuple(symbols)
    assert float(sum(logs[frame, symbol] for frame, symbol in enumerate(path))) == pytest.approx(best, abs=1e-9)
    for spike in spikes:
        likeliest = np.exp(logs[spike.first : spike.last + 1, spike.symbol].max())
        assert spike.confidence == pytest.approx(likeliest)


def test_what_does_not_fit_into_the_frames_is_refused():
    logits = drawn_logits(2, seed=5)
    for symbols in ((1, 2, 3), (1, 1)):
        with pytest.raises(ValueError, match="frames"):
            aligned(logits, symbols)


@given(st.lists(st.integers(0, SYMBOLS), min_size=1, max_size=30))
@settings(deadline=None)
def test_what_is_certain_is_heard_alike_by_all_three(path):
    logits = 30.0 * np.eye(SYMBOLS + 1)[path]
    heard = greedy(logits)
    symbols = tuple(spike.symbol for spike in heard)
    assert beam_search(logits)[0][0] == symbols
    assert [(s.first, s.last) for s in aligned(logits, symbols)] == [(s.first, s.last) for s in heard]
