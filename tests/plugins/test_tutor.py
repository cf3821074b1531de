"""`language/tutor`: its topics, what it learns from, the loss by hand, and what it answers."""

import dataclasses
import threading

import keras
import numpy as np
import pytest

import layerwise
from layerwise import Card, Lesson, weights
from layerwise.errors import InputError
from layerwise.evaluation import evaluate
from layerwise.registry import Registry
from layerwise.splits import Split
from layerwise.text.tokenization import train_words
from layerwise.versions import read_version
from layerwise.weights import read_record
from layerwise_language.tutor import TUTOR, WEIGHTS, TutorConfig, small_talk
from layerwise_language.tutor.network import build
from layerwise_language.tutor.runner import Tutor
from layerwise_language.tutor.task import DISTANCE, SHARPNESS, Tutoring
from layerwise_language.tutor.topics import NOTHING, known_questions, plain, read_questions, topics_of

BAR = 0.9
"""Of the questions whose card is to be found, and of the messages that are about something else, to be refused."""
NEURON = Card(name="neuron", front="What is a **neuron**?", back="A weighted sum, $w x + b$, and a bend.", lesson="net")
LOSS = Card(name="own-loss", front="What is a *loss*?", back="How wrong the outputs are.")
NET = Lesson(name="net", title="The net", text="Neurons in layers.")
TREES = Lesson(
    name="trees", title="Trees", summary="Forests of **oaks**.", text="An oak is a tree.\n\nA fir is one too."
)


@pytest.fixture(scope="module")
def snapshot():
    return Registry().snapshot()


@pytest.fixture
def small(snapshot):
    """Only what is above."""
    return dataclasses.replace(snapshot, number=-1, lessons=(NET, NEURON, LOSS, TREES))


def test_topics_are_cards_and_the_lessons_without_any(small):
    found = {topic.name: topic for topic in topics_of(small)}
    names = [name for name in found if not name.startswith("talk/")]
    assert names == ["card/neuron", "card/own-loss", "lesson/trees"]
    assert found["lesson/trees"].texts == ("Trees", "Forests of oaks .", "An oak is a tree.", "A fir is one too.")
    # What is known of a card by its name is a text of it; nothing is known of the other.
    assert found["card/neuron"].texts[2:] == tuple(known_questions()["questions"].get("neuron", ()))
    assert found["card/own-loss"].texts == ("What is a loss ?", "How wrong the outputs are.")
    assert found["talk/greeting"].item is None


def test_plain_text_has_no_markup():
    assert plain("**A** [link](https://x.y) to `code` and $x^2$") == "A link to code and x^2"


def test_what_it_learns_from(snapshot):
    splits = read_questions({}, snapshot)
    cards = {f"card/{item.name}" for item in snapshot.lessons if isinstance(item, Card)}
    known = {f"card/{name}" for name in known_questions()["questions"]}
    assert known <= cards, "questions about cards that are not registered any more"
    train, held_out = splits["train"], splits["validation"]
    assert not set(train.inputs) & set(held_out.inputs)
    assert 0.08 < len(held_out) / (len(train) + len(held_out)) < 0.12
    assert cards <= set(train.targets)
    assert {NOTHING, "talk/thanks"} <= set(train.targets)
    test = splits["test"]
    assert (len(test), sum(names == (NOTHING,) for names in test.targets)) == (150, 50)
    assert {name for names in test.targets for name in names} - {NOTHING} <= cards
    learned = {small_talk.words_of(text) for part in (train, held_out) for text in part.inputs}
    assert not learned & {small_talk.words_of(text) for text in test.inputs}, "the test is known"


def test_small_talk_is_chosen_from_conversations():
    conversations = [
        "User 1: Hi!\nUser 2: Hello!\nUser 1: What do you do for a living?\nUser 2: I bake.",
        "User 1: Hi!\nUser 2: Hello!\nUser 1: Thanks!\nUser 2: My name is Ann.",
        "User 1: hi\nUser 2: I have waited for you since the morning and am glad that you came.",
    ]
    assert small_talk.choose(conversations) == {
        "greeting": [("Hi!", "Hello!")],
        "how-are-you": [],
        "thanks": [],
        "goodbye": [],
    }
    assert all(small_talk.dialogues()[kind] for kind in small_talk.KINDS)


def task_of(texts, **fields):
    return Tutoring(vocabulary=400, tokenizer=train_words(texts, 400), **fields)


def test_targets_are_numbers_of_topics_and_nothing_comes_last():
    names = ["card/b", NOTHING, "card/a", "card/b"]
    split = Split(np.array(["one", "two", "three", "four"], object), np.array(names, object))
    task = Tutoring(vocabulary=300).fitted(split, None)
    assert task.topics == ("card/a", "card/b")
    trained_on = task.to_train_on(split)
    assert np.asarray(trained_on.targets).tolist() == [1, 2, 0, 1]
    assert "".join(task.part_names(np.asarray(trained_on.inputs)[2:])) == "three"
    # What is fine-tuned keeps its words and learns other topics.
    later = Tutoring(vocabulary=500).fitted(Split(split.inputs, np.array(["card/c"] * 4, object)), task)
    assert (later.topics, later.tokenizer, later.vocabulary) == (("card/c",), task.tokenizer, 300)


def test_the_loss_by_hand():
    task = task_of(["a"], topics=("x", "y"))
    cosines = np.random.default_rng(0).uniform(-1, 1, (3, 2)).astype("float32")
    targets = np.array([1, 0, 2])  # the last is about nothing
    scores = np.exp(SHARPNESS * np.concatenate([cosines, np.full((3, 1), DISTANCE)], axis=1))
    chances = scores / scores.sum(axis=1, keepdims=True)
    expected = -np.mean(np.log(chances[np.arange(3), targets]))
    np.testing.assert_allclose(task.loss(TutorConfig())(targets, cosines), expected, rtol=1e-4)
    smoothed = -np.mean(0.7 * np.log(chances[np.arange(3), targets]) + 0.1 * np.log(chances).sum(axis=1))
    np.testing.assert_allclose(task.loss(TutorConfig(label_smoothing=0.3))(targets, cosines), smoothed, rtol=1e-4)
    accuracy = task.training_metrics()["accuracy"](targets, cosines)
    assert float(accuracy) == pytest.approx(np.mean(scores.argmax(axis=1) == targets))


def test_figures_by_hand():
    task = task_of(["a"], threshold=0.5)
    topics = np.array(
        [["card/a", "card/b", "card/c"], ["card/b", "card/a", "card/c"], ["card/a", "card/b", "card/c"]] * 2, object
    )
    similarity = np.array([[0.9, 0.1, 0], [0.8, 0.7, 0], [0.4, 0.3, 0], [0.6, 0, 0], [0.2, 0, 0], [0.45, 0, 0]])
    targets = np.empty(6, object)
    targets[:] = [("card/a",), ("card/a", "card/x"), ("card/a",), (NOTHING,), (NOTHING,), (NOTHING,)]
    found = task.evaluate({"topics": topics, "similarity": similarity}, targets)
    assert found == pytest.approx({"found": 1 / 3, "found_among_three": 1.0, "refused": 2 / 3})


@pytest.fixture(scope="module")
def trained(tmp_path_factory, snapshot):
    """A version that learned the small library in a moment."""
    folder = tmp_path_factory.mktemp("tutor")
    library = dataclasses.replace(snapshot, number=-1, lessons=(NET, NEURON, LOSS, TREES))
    texts = [(text, topic.name) for topic in topics_of(library) for text in topic.texts]
    texts += [(text, NOTHING) for text in known_questions()["off_topic"][:200]]
    split = Split(np.array([text for text, _ in texts], object), np.array([name for _, name in texts], object))
    config = TutorConfig(dimensions=32, buckets=2000)
    task = dataclasses.replace(TUTOR.task, vocabulary=1000).fitted(split, None)
    keras.utils.set_random_seed(0)
    network = build(config, task)
    numbered = task.to_train_on(split)
    network.compile(keras.optimizers.Adam(0.01), task.loss(config))
    network.fit(numbered.inputs, numbered.targets, batch_size=64, epochs=30, verbose=0)
    record = {"name": TUTOR.name, "variant": "encoder", "task": task.parameters(), "config": dataclasses.asdict(config)}
    arrays = weights.arrays_of(weights.named_variables(network))
    weights.save_arrays(arrays, folder, record, task.files())
    return read_version(TUTOR, "encoder", "small", folder), library


@pytest.fixture(scope="module")
def tutor(trained):
    version, library = trained
    return Tutor(version, lambda: library)


def ask(tutor, message, history=()):
    return tutor.run({"message": message, "history": list(history)}, None, threading.Event())


@pytest.mark.slow
def test_the_card_answers_and_is_named(tutor):
    answer = ask(tutor, "what is a neuron?")
    assert answer["reply"] == NEURON.back
    assert answer["sources"][0]["flashcard"] == NEURON.front
    assert answer["sources"][0]["lesson"] == "The net"
    assert ask(tutor, "tell me about forests of oaks")["reply"] == TREES.summary


@pytest.mark.slow
def test_what_no_card_answers_it_does_not_know(tutor):
    answer = ask(tutor, "how long do I boil an egg for breakfast?")
    assert answer["reply"].startswith("I don't know.")
    assert answer["sources"] == []


@pytest.mark.slow
def test_small_talk_gets_what_people_reply(tutor):
    assert ask(tutor, "Hi there!")["reply"] in {reply for _, reply in small_talk.dialogues()["greeting"]}
    assert ask(tutor, "thank you so much!")["reply"] in {reply for _, reply in small_talk.dialogues()["thanks"]}
    assert "there are 2" in ask(tutor, "who are you?")["reply"]


@pytest.mark.slow
def test_a_short_message_leans_on_the_one_before_and_is_told_something_new(tutor):
    before = [{"role": "user", "content": "what is a neuron?"}, {"role": "assistant", "content": NEURON.back}]
    assert ask(tutor, "and zzz?")["reply"].startswith("I don't know."), "alone it says nothing"
    answer = ask(tutor, "and zzz?", before)
    assert NEURON.back != answer["reply"]


@pytest.mark.slow
def test_what_is_registered_later_is_found_too(trained):
    version, library = trained
    state = {"snapshot": library}
    tutor = Tutor(version, lambda: state["snapshot"])
    assert ask(tutor, "is kurtosis a mode of frobnication?")["reply"].startswith("I don't know.")
    card = Card(name="frobnication", front="What is frobnication, and its kurtosis?", back="A mode of frobnication.")
    state["snapshot"] = dataclasses.replace(library, number=-2, lessons=(*library.lessons, card))
    assert ask(tutor, "is kurtosis a mode of frobnication?")["reply"] == card.back


@pytest.mark.slow
@pytest.mark.parametrize("message", ["", None, 3])
def test_bad_messages_are_refused(tutor, message):
    with pytest.raises(InputError, match="There is no message"):
        ask(tutor, message)


@pytest.mark.slow
@pytest.mark.parametrize("message", ["<script>alert(1)</script>", "\x00\x07", "שלום", "🤖" * 5000, "?"])
def test_odd_messages_are_answered(tutor, message):
    assert isinstance(ask(tutor, message)["reply"], str)


def test_the_shipped_weights():
    record = read_record(WEIGHTS)
    found = record["measured"]["metrics"]
    assert record["measured"]["split"] == "test"
    assert found["found"] >= BAR
    assert found["refused"] >= BAR
    assert record["bytes"] < 9e6


@pytest.mark.slow
def test_the_shipped_weights_again(tmp_path):
    with layerwise.open_workspace(tmp_path) as workspace:
        measured = evaluate(workspace, "language/tutor")
        assert measured["metrics"] == pytest.approx(read_record(WEIGHTS)["measured"]["metrics"], abs=0.011)
        answer = workspace.predictor.predict("language/tutor", "what does a bias do?")
    assert answer["reply"]
    assert answer["sources"][0]["flashcard"]
