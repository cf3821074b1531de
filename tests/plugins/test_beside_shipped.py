"""The shipped networks side by side, and on their test sets: answers, leaderboards, and the test of their difference
against another computation of it."""

import numpy as np
import pytest
from scipy import stats

import layerwise
from layerwise.beside import ask, described
from layerwise.comparing.leaderboard_tables import as_markdown
from layerwise.leaderboard import leaderboard
from layerwise_vision import fashion

FASHION = ["vision/fashion:conv", "vision/fashion:dense"]
SENTIMENT = ["language/sentiment:ngrams", "language/sentiment:convolution"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with layerwise.open_workspace(tmp_path_factory.mktemp("home")) as opened:
        yield opened


def test_both_networks_for_garments_know_a_trouser(workspace):
    example = next(example for example in fashion.examples() if example.label == "Trouser")
    *_, replies = ask(workspace, FASHION, example.inputs)
    found = described(replies)
    assert [item["says"] for item in found] == ["Trouser", "Trouser"]
    assert [item["num_parameters"] for item in found] == [278_890, 670_730]
    # The shipped files hold 16 bits a weight, the memory 32.
    assert all(item["weights_bytes"] >= 4 * item["num_parameters"] for item in found)


def test_networks_of_different_data_answer_beside_each_other(workspace):
    example = fashion.examples()[0]
    *_, replies = ask(workspace, [*FASHION, "vision/objects"], example.inputs)
    assert [reply.state for reply in replies] == ["done"] * 3
    assert [item["differs"] for item in described(replies)] == [False, False, True]


@pytest.mark.parametrize(
    ("text", "label"), [("A joy from beginning to end.", "positive"), ("Dull and bad.", "negative")]
)
def test_both_networks_for_texts_know_what_is_meant(workspace, text, label):
    *_, replies = ask(workspace, SENTIMENT, {"text": text})
    assert [item["says"] for item in described(replies)] == [label, label]


@pytest.mark.slow
def test_the_leaderboard_of_garments(workspace, fashion_mnist_folder):
    board = leaderboard(workspace, FASHION[::-1], limit=2000)
    assert [item["reference"] for item in board["models"]] == [f"{name}@shipped" for name in FASHION]
    for item, least in zip(board["models"], (0.92, 0.89), strict=True):
        assert item["metrics"]["accuracy"] >= least
        low, high = item["interval"]["accuracy"]
        expected = stats.binomtest(round(item["metrics"]["accuracy"] * 2000), 2000).proportion_ci(method="wilson")
        assert (low, high) == pytest.approx((expected.low, expected.high))
    (pair,) = board["pairs"]
    assert pair["is_beyond_chance"]
    assert pair["p"] == pytest.approx(stats.binomtest(pair["only_one"], pair["only_one"] + pair["only_other"]).pvalue)
    assert (pair["only_one"] - pair["only_other"]) / 2000 == pytest.approx(pair["difference"])
    # The dense network has more parameters and is worse.
    assert "num_parameters" in board["models"][0]["fronts"]
    assert "num_parameters" not in board["models"][1]["fronts"]
    assert np.isfinite([item["seconds"] for item in board["models"]]).all()
    assert "McNemar's exact test" in as_markdown(board)


@pytest.mark.slow
def test_the_leaderboard_of_sentiment(workspace, require_data):
    require_data("sst2")
    board = leaderboard(workspace, SENTIMENT)
    assert board["models"][0]["reference"] == "language/sentiment:ngrams@shipped"
    assert board["count"] == 1821
    assert board["models"][0]["metrics"]["accuracy"] == pytest.approx(0.832, abs=0.002)
    assert board["pairs"][0]["is_beyond_chance"]
