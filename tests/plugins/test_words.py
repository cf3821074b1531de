"""`speech/digits-and-words`: its shipped weights, on recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import layerwise
from layerwise.config import config_from
from layerwise.evaluation import evaluate
from layerwise.weights import read_record
from layerwise_speech.words import WORDS, WordsConfig, examples

WEIGHTS = WORDS.variant().weights
BARS = {"test": 0.03, "unseen": 0.10}
"""The most errors a word, of speakers that it was trained on and of others."""
MOST_PARAMETERS = 2_000_000


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with layerwise.open_workspace(tmp_path_factory.mktemp("home")) as found:
        yield found


def said(path: Path) -> str:
    return path.stem.replace("_", " ")


def test_the_shipped_weights_are_those_of_the_config():
    record = read_record(WEIGHTS)
    assert record["measured"]["metrics"]["word_error_rate"] <= BARS["test"]
    assert record["num_parameters"] <= MOST_PARAMETERS
    assert config_from(WordsConfig, record["config"]) == WORDS.variant().config


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.label)
def test_the_examples_are_heard_with_their_words_in_time(workspace, example):
    answer = workspace.predictor.predict("speech/digits-and-words", example.inputs)
    assert answer["text"] == said(example.inputs["audio"])
    starts = [word["from (s)"] for word in answer["words"]]
    assert starts == sorted(starts)
    assert all(word["confidence"] > 0.5 for word in answer["words"])


def test_silence_and_noise_say_nothing(workspace):
    random = np.random.default_rng(0)
    for level in (0.0, 1e-3, 1e-2, 0.1):
        noise = (level * random.normal(size=3 * 16_000)).astype("float32")
        answer = workspace.predictor.predict("speech/digits-and-words", {"audio": (16_000, noise)})
        assert answer["text"] == ""
    assert "muted" not in answer["note"]


@pytest.mark.slow
@pytest.mark.parametrize("split", BARS)
def test_the_bars_are_met_by_a_fresh_evaluation(workspace, split, require_data):
    for name in ("fsdd", "speech-commands"):
        require_data(name)
    found = evaluate(workspace, "speech/digits-and-words", split=split)
    assert found["metrics"]["word_error_rate"] <= BARS[split]
