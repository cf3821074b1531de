"""`language/writer`: trained on texts of one's own, it writes like them."""

import pytest
from llama_samples import finished
from shipped import trained_config

import layerwise
from layerwise import jobs
from layerwise.evaluation import evaluate
from layerwise.weights import read_record
from layerwise_language.llama import LlamaConfig
from layerwise_language.writer import WEIGHTS, WRITER

BAR = 18.5
"""The perplexity of a token that the shipped weights have at most on sentences that they were not trained on."""
SMALL = LlamaConfig(
    hidden_size=64,
    num_hidden_layers=2,
    intermediate_size=128,
    context=128,
    num_epochs=40,
    batch_size=2,
    learning_rate=0.005,
)


@pytest.mark.slow
def test_it_writes_like_the_texts_that_it_was_given(home, tmp_path):
    animals, sounds = ("cat", "dog", "cow", "duck", "sheep"), ("purrs", "barks", "moos", "quacks", "bleats")
    lines = [
        f"On day {n} the {animal} {sound}." for n in range(40) for animal, sound in zip(animals, sounds, strict=True)
    ]
    (tmp_path / "texts.txt").write_text("\n".join(lines))
    with layerwise.open_workspace(home) as workspace:
        run = finished(jobs.start(workspace.runs, WRITER, config=SMALL, data=tmp_path / "texts.txt"))
        workspace.versions.promote(WRITER, run)
        for animal, sound in zip(animals, sounds, strict=True):
            inputs = {"text": f"On day 7 the {animal}", "temperature": 0, "repetition_penalty": 1}
            text = workspace.predictor.predict("language/writer", inputs)["text"]
            assert text == f"On day 7 the {animal} {sound}."
        metrics = evaluate(workspace, "language/writer")["metrics"]
    # The day and the animal are what nobody can foretell.
    assert metrics["bits_per_character"] < 0.6


def test_the_shipped_weights_meet_the_bar(home):
    record = read_record(WEIGHTS)
    assert record["measured"]["metrics"]["perplexity"] <= BAR
    assert trained_config(record, WRITER.variant("small")) == WRITER.variant("small").config
    with layerwise.open_workspace(home) as workspace:
        answer = workspace.predictor.predict("language/writer", {"text": "I would like", "temperature": 0})
    assert len(answer["text"].split()) > 4
