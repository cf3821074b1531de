"""Hearing sounds of any length, also piece by piece, by a tiny network that knows tones."""

import threading
import time

import numpy as np
import pytest
import sample_models as samples
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.errors import InputError
from layerwise.runner import last_answer
from layerwise.tasks import CtcSpeechRecognition
from layerwise.tasks.speech.runner import MOST_DRAWN, MOST_SEARCHED, MOST_SESSIONS, SpeechRunner
from layerwise.tasks.speech.words import UNKNOWN
from layerwise.versions import VersionStore

RATE, FRAME = 4_000, 160
TONES = (400, 700, 1000)
"""Of "no", "yes" and another word, in hertz."""
BEFORE, AFTER = 14, 2
"""Frames that a frame looks at: one and a half after it, and 13.5 before it."""
TASK = CtcSpeechRecognition(symbols=("no", "yes", UNKNOWN), rate=RATE, seconds=1.0, least=0.0)
LETTERS = CtcSpeechRecognition(symbols=(" ", "a", "b"), unit="character", rate=RATE, seconds=1.0)


def build_ear(config, task):
    """A symbol for each tone: how loud it is in a frame, and a little of what is heard around it."""
    import keras
    from keras import layers

    count = len(task.symbols)
    audio = keras.Input((None,), name="audio")
    x = layers.Reshape((-1, 1))(audio)
    waves = layers.Conv1D(2 * count, 2 * FRAME, strides=FRAME, padding="same", name="waves")(x)
    power = layers.Multiply()([waves, waves])
    around = layers.Conv1D(2 * count, 3, padding="same", name="around")(power)
    x = layers.Conv1D(count + 1, 13, padding="causal", name="logits")(around)
    return keras.Model(audio, x)


def ear(task):
    """The network with its weights, by hand."""
    model = build_ear(None, task)
    times = np.arange(2 * FRAME)
    window = np.hanning(2 * FRAME) * 2 / FRAME
    waves = [wave(2 * np.pi * hertz * times / RATE) * window for hertz in TONES for wave in (np.cos, np.sin)]
    # Silence is not 0 to the layers behind, which the zeros beside a window are.
    kernel = np.stack(waves, axis=1)[:, None].astype("float32")
    model.get_layer("waves").set_weights([kernel, np.full(6, 0.02, "float32")])
    random = np.random.default_rng(0)
    sides = random.normal(0, 0.02, [3, 6, 6])
    sides[1] = np.eye(6)
    model.get_layer("around").set_weights([sides.astype("float32"), np.full(6, 0.05, "float32")])
    kernel = random.normal(0, 1.0, [13, 6, 4]).astype("float32")
    kernel[-1] = 0
    for place in range(6):
        kernel[-1, place, 1 + place // 2] = 100
    model.get_layer("logits").set_weights([kernel, np.array([14, 0, 0, 0], "float32")])
    return model


def runner_of(task, home):
    spec = samples.spec_of("sample/ear", task=task, build=build_ear)
    samples.promoted(home, spec, ear(task))
    return SpeechRunner(VersionStore(home).current(spec), spec)


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    return runner_of(TASK, tmp_path_factory.mktemp("home"))


def tones(*numbers, tone=0.25, gap=0.25, level=0.3):
    """Tones with silence before and after each; 0 is silence instead."""
    parts = [np.zeros(round(gap * RATE))]
    for number in numbers:
        wave = np.sin(2 * np.pi * TONES[number - 1] * np.arange(round(tone * RATE)) / RATE) if number else 0
        parts += [level * wave * np.ones(round(tone * RATE)), np.zeros(round(gap * RATE))]
    return np.concatenate(parts).astype("float32")


def noise(seconds, seed=0):
    """Noise and tones in it."""
    random = np.random.default_rng(seed)
    numbers = random.integers(0, 4, round(seconds / 0.3))
    sound = tones(*numbers, tone=0.2, gap=0.1)[: round(seconds * RATE)]
    return (sound + random.normal(0, 0.03, len(sound))).astype("float32")


def ask(runner, sound, session=None, **inputs):
    """All answers to a sound, each replacing the one before."""
    return [*runner.run({"audio": (RATE, sound), **inputs}, session, threading.Event())]


def heard_in_pieces(runner, sound, ends):
    """All logits of a sound that came in pieces, and those that were certain after each."""
    listener, certain, start = runner.listener(), [], 0
    for stop in [*sorted(ends), len(sound)]:
        certain += [listener.logits for _ in listener.hear(sound[start:stop])]
        start = stop
    assert listener.count == len(sound)
    return listener.whole(), certain


def by_the_network(runner, sound):
    """The logits of all frames in one pass, silence after the end."""
    frames = -(-len(sound) // FRAME)
    padded = np.pad(sound, (0, (frames + 2) * FRAME - len(sound)))
    return np.asarray(runner.model(padded[None]))[0, :frames]


# The same whatever the pieces are


def test_how_far_the_network_looks_is_found_by_asking_it(runner):
    sizes = runner._sizes
    assert (sizes.frame, sizes.before // FRAME, sizes.after // FRAME) == (FRAME, BEFORE, AFTER)


@pytest.mark.parametrize("seconds", [0.02, 0.03, 0.5, 1.0, 1.001, 4.0, 8.0, 8.04, 9.3, 30.0])
def test_a_sound_is_heard_as_by_one_pass_of_the_network(runner, seconds):
    sound = noise(seconds)
    whole, _ = heard_in_pieces(runner, sound, [])
    np.testing.assert_allclose(whole, by_the_network(runner, sound), atol=1e-3)


@given(st.lists(st.integers(0, round(12.5 * RATE)), max_size=30), st.integers(0, 5))
@settings(max_examples=15, deadline=None)
def test_the_same_is_heard_whatever_the_pieces_are(runner, ends, seed):
    sound = noise(12.5, seed)
    expected = by_the_network(runner, sound)
    whole, certain = heard_in_pieces(runner, sound, ends)
    np.testing.assert_allclose(whole, expected, atol=1e-3)
    for logits in certain:
        np.testing.assert_allclose(logits, expected[: len(logits)], atol=1e-3)


def test_many_small_pieces(runner):
    """A tenth of a second each, as from a microphone; what is certain is never far behind."""
    sound = noise(10.0)
    whole, certain = heard_in_pieces(runner, sound, range(0, len(sound), RATE // 10))
    np.testing.assert_allclose(whole, by_the_network(runner, sound), atol=1e-3)
    assert len(certain[-1]) > len(whole) - 2 * RATE / FRAME
    assert len(certain) > 10


def test_what_comes_after_all_still_goes_on(runner):
    sound = noise(5.0)
    listener = runner.listener()
    for stop in (0.7, 1.9, 3.3, 5.0):
        piece = sound[listener.count : round(stop * RATE)]
        for _ in listener.hear(piece):
            pass
        np.testing.assert_allclose(listener.whole(), by_the_network(runner, sound[: listener.count]), atol=1e-3)


# Answers


def test_words_stand_where_they_were_said(runner):
    sound = tones(2, 1, 1, 3)
    *before, answer = ask(runner, sound)
    assert answer["text"] == f"yes no no {UNKNOWN}"
    assert answer["note"] == ""
    assert all(answer["text"].startswith(partial["text"]) for partial in before)
    for place, row in enumerate(answer["words"]):
        assert row["from (s)"] == pytest.approx(0.25 + 0.5 * place, abs=0.081)
        assert row["to (s)"] == pytest.approx(0.5 + 0.5 * place, abs=0.081)
        assert row["confidence"] > 0.9
    assert answer.keys() == {field.name for field in TASK.outputs}
    (drawn,) = answer["lattice"]
    assert set(drawn.row_labels) == {"(nothing)", "no", "yes", UNKNOWN}


def test_words_come_while_a_sound_is_heard(runner):
    texts = [answer["text"] for answer in ask(runner, tones(*[1, 2, 3] * 20))]
    assert len(texts) >= 4
    assert texts[-1].split() == ["no", "yes", UNKNOWN] * 20
    assert [len(text) for text in texts] == sorted(len(text) for text in texts)
    assert texts[0]
    assert texts[-1].startswith(texts[-2])


def test_characters_up_to_a_space_are_a_word(tmp_path):
    runner = runner_of(LETTERS, tmp_path)
    answer = last_answer(iter(ask(runner, tones(2, 3, 1, 3, 3, 2, 1))))
    assert answer["text"] == "ab bba"
    assert [row["word"] for row in answer["words"]] == ["ab", "bba"]
    first, second = answer["words"]
    assert (first["from (s)"], first["to (s)"]) == pytest.approx((0.25, 1.0), abs=0.081)
    assert (second["from (s)"], second["to (s)"]) == pytest.approx((1.75, 3.0), abs=0.081)


def test_silence_is_an_empty_text_and_a_note(runner):
    answer = ask(runner, np.zeros(3 * RATE, "float32"))[-1]
    assert answer["text"] == ""
    assert answer["words"] == []
    assert "silent" in answer["note"]
    with pytest.raises(InputError, match="too short"):
        ask(runner, np.zeros(5))
    with pytest.raises(InputError, match="no sound"):
        [*runner.run({"audio": None}, None, threading.Event())]


def test_what_the_network_is_not_sure_of_is_an_unknown_word(tmp_path):
    sure = runner_of(TASK, tmp_path / "a")
    sound = np.concatenate([tones(1), tones(2, level=0.205)])
    first, second = ask(sure, sound)[-1]["words"]
    assert (first["word"], second["word"]) == ("no", "yes")
    assert second["confidence"] < 0.7 < 0.95 < first["confidence"]
    values = {**TASK.parameters(), "least": 0.8}
    strict = runner_of(TASK.with_parameters(values), tmp_path / "b")
    answer = ask(strict, sound)[-1]
    assert answer["text"] == f"no {UNKNOWN}"
    assert answer["words"][1]["confidence"] == pytest.approx(1 - second["confidence"], abs=2e-3)
    (text,) = strict.outputs({"audio": _objects([sound])})["text"]
    assert text == answer["text"]


def test_beams_hear_what_is_clear_as_well(runner):
    sound = tones(2, 1, 1, 3)
    greedy, beam = ask(runner, sound, search="greedy")[-1], ask(runner, sound, search="beam")[-1]
    assert beam["text"] == greedy["text"]
    for one, other in zip(beam["words"], greedy["words"], strict=True):
        assert one["from (s)"] == pytest.approx(other["from (s)"], abs=0.081)
    assert ask(runner, np.zeros(RATE, "float32"), search="beam")[-1]["words"] == []


def test_batches_are_heard_and_the_rest_is_passed_on(runner):
    sounds = [tones(1), tones(2, 2), np.zeros(RATE, "float32")]
    found = runner.outputs({"audio": _objects(sounds), "speaker": np.array(["Ann", "Bob", ""], object)})
    assert found["text"].tolist() == ["no", "yes yes", ""]
    assert found["speaker"].tolist() == ["Ann", "Bob", ""]
    assert "audio" not in found
    answers = runner.run_batch([{"audio": (RATE, sound)} for sound in sounds])
    assert [answer["text"] for answer in answers] == ["no", "yes yes", ""]


def _objects(sounds):
    found = np.empty(len(sounds), object)
    found[:] = sounds
    return found


# Sessions


@pytest.fixture
def passes(runner, monkeypatch):
    """How many samples each pass of the network took."""
    taken = []
    forward = runner._forward
    monkeypatch.setattr(runner, "_forward", lambda batch: taken.append(batch.shape[1]) or forward(batch))
    return taken


def test_a_session_goes_on_from_what_was_heard(runner, passes):
    sound = tones(*[1, 2, 3, 2] * 10)
    alone = ask(runner, sound)[-1]
    num_alone = sum(passes)
    passes.clear()
    for stop in range(RATE, len(sound), RATE):
        ask(runner, sound[:stop], "visitor")
    passes.clear()
    answer = ask(runner, sound, "visitor")[-1]
    assert answer["text"] == alone["text"]
    assert answer["words"] == alone["words"]
    assert sum(passes) < 0.4 * num_alone
    runner.end_session("visitor")
    passes.clear()
    assert ask(runner, sound, "visitor")[-1]["text"] == alone["text"]
    assert sum(passes) == num_alone
    runner.end_session("visitor")
    runner.end_session("nobody")


def test_another_sound_in_a_session_begins_anew(runner):
    first, second = tones(1, 2, 1), tones(2, 2, 2, 1)
    assert ask(runner, first, "one")[-1]["text"] == "no yes no"
    assert ask(runner, second, "one")[-1]["text"] == "yes yes yes no"
    assert ask(runner, second, "other")[-1]["text"] == "yes yes yes no"
    # One that is shorter than what was heard, too.
    assert ask(runner, first, "other")[-1]["text"] == "no yes no"
    assert ask(runner, second[: len(first)], "other")[-1]["text"] == "yes yes yes"
    assert ask(runner, second, "other")[-1]["text"] == "yes yes yes no"


def test_the_same_beginning_is_not_the_same_sound(runner):
    """What was heard is compared, not only how long it was."""
    common = tones(1, 2)
    ask(runner, np.concatenate([common, tones(3)]), "one")
    assert ask(runner, np.concatenate([common, tones(1, 1)]), "one")[-1]["text"] == "no yes no no"


def test_what_came_at_another_rate_goes_on_too(runner, passes):
    """The last moments of a sound differ where it was cut when its rate was changed."""
    rate = 11_025
    times = np.arange(6 * rate) / rate
    sound = 0.3 * np.sin(2 * np.pi * TONES[1] * times) * (times % 1 > 0.5)
    inputs = [{"audio": (rate, sound[: round(seconds * rate)])} for seconds in (2.9, 4.33, 6.0)]
    texts = [[*runner.run(item, "one", threading.Event())][-1]["text"] for item in inputs[:2]]
    passes.clear()
    texts.append([*runner.run(inputs[2], "one", threading.Event())][-1]["text"])
    assert texts[1:] == ["yes yes yes yes", "yes yes yes yes yes yes"]
    assert sum(passes) < 6 * RATE
    runner.end_session("one")


def test_only_so_many_sessions_are_remembered(runner):
    for number in range(MOST_SESSIONS + 5):
        ask(runner, tones(1), f"visitor {number}")
    assert len(runner._sessions) == MOST_SESSIONS
    assert "visitor 0" not in runner._sessions
    for number in range(MOST_SESSIONS + 5):
        runner.end_session(f"visitor {number}")
    assert not runner._sessions


def test_who_does_not_wait_any_more_gets_nothing(runner, passes):
    sound, cancelled = noise(60.0), threading.Event()
    answers = runner.run({"audio": (RATE, sound)}, "gone", cancelled)
    next(answers)
    cancelled.set()
    passes.clear()
    assert [*answers] == []
    assert sum(passes) < 20 * RATE
    assert ask(runner, tones(1), "gone")[-1]["text"] == "no"
    runner.end_session("gone")


def test_many_visitors_at_a_time(runner):
    sounds = [tones(*[1, 2] * (number + 1)) for number in range(6)]
    found = {}

    def speak(number):
        for stop in (len(sounds[number]) // 2, len(sounds[number])):
            found[number] = ask(runner, sounds[number][:stop], f"visitor {number}")[-1]["text"]

    threads = [threading.Thread(target=speak, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: " ".join(["no yes"] * (number + 1)) for number in range(6)}
    for number in range(6):
        runner.end_session(f"visitor {number}")


# Long sounds


def test_minutes_are_heard_in_parts(runner, passes):
    sound = noise(180.0)
    begin = time.perf_counter()
    answers = ask(runner, sound, search="beam")
    assert time.perf_counter() - begin < 60
    assert len(answers) > 15
    assert max(passes) <= 8.0 * RATE
    assert sum(passes) < 1.3 * len(sound)
    answer = answers[-1]
    assert f"up to {MOST_SEARCHED:.0f} seconds" in answer["note"]
    assert len(sound) / RATE > MOST_DRAWN
    assert answer["lattice"] == []
    expected = TASK.decode(by_the_network(runner, sound)[None])[0]["text"]
    assert answer["text"] == expected
    assert answer["words"][-1]["to (s)"] <= 180


def test_the_network_is_warm_before_somebody_speaks(runner, passes):
    runner.warm()
    assert sorted(passes) == [RATE, 2 * RATE, 4 * RATE, 8 * RATE]
    passes.clear()
    ask(runner, noise(21.3))
    assert set(passes) <= {RATE, 2 * RATE, 4 * RATE, 8 * RATE}
