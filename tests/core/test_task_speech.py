"""Speech recognition as a task: what it takes, spells, is trained and measured on, and shows."""

import json

import jiwer
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.errors import DataError, InputError, SpecError
from layerwise.plots import Table
from layerwise.splits import Split
from layerwise.tasks import CtcSpeechRecognition, SpeechRecognition
from layerwise.tasks.speech.drawing import (
    LEAST_DECIBELS,
    MOST_COLUMNS,
    MOST_WORDS,
    lattice,
    sound_pictures,
    spectrogram,
)
from layerwise.tasks.speech.errors import error_rates, error_report
from layerwise.tasks.speech.words import UNKNOWN, Word
from layerwise.tasks.speech_recognition import TIMES_MEASURED

RATE = 8_000
WORDS = CtcSpeechRecognition(symbols=("no", "yes", UNKNOWN), rate=RATE, seconds=2.0, times=3, joined=3, least=0.5)
LETTERS = CtcSpeechRecognition(symbols=(" ", "a", "b"), unit="character", rate=RATE, seconds=2.0, times=2)


def tone(hertz, seconds=0.3, rate=RATE):
    """int16 [samples]."""
    return (9000 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype("int16")


def recordings(texts, speakers=None, rate=RATE):
    """A split of tones, each of another length and pitch."""
    audio = np.empty(len(texts), object)
    audio[:] = [(rate, tone(200 + 30 * place, 0.3 + 0.01 * place, rate)) for place in range(len(texts))]
    names = np.array(speakers or [""] * len(texts), object)
    return Split({"audio": audio, "speaker": names}, np.array(texts, object))


# Spelling


def test_texts_are_numbers_and_numbers_are_texts():
    assert WORDS.numbers_of(" yes  no ") == [2, 1]
    assert WORDS.numbers_of("") == []
    assert WORDS.text_of([1, 2, 2, 3]) == f"no yes yes {UNKNOWN}"
    assert WORDS.text_of([]) == ""
    assert LETTERS.numbers_of(" ab  ba ") == [2, 3, 1, 3, 2]
    assert LETTERS.text_of([1, 2, 3, 1, 3, 1]) == "ab b"
    assert WORDS.output_names[1:] == WORDS.symbols


@given(st.text(alphabet="ab "))
@settings(deadline=None)
def test_what_was_spelled_is_read_back(text):
    assert LETTERS.text_of(LETTERS.numbers_of(text)) == " ".join(text.split())


def test_other_words_are_the_unknown_one_or_refused():
    assert WORDS.numbers_of("yes perhaps no") == [2, 3, 1]
    known = CtcSpeechRecognition(symbols=("no", "yes"))
    with pytest.raises(DataError, match=r"'perhaps'.*train a version"):
        known.numbers_of("yes perhaps")
    with pytest.raises(DataError, match="a character that the model does not know"):
        LETTERS.numbers_of("abc")


def test_what_a_network_gives_is_decoded():
    logits = np.full([2, 5, 4], -5.0)
    for example, path in enumerate(([0, 2, 2, 0, 1], [0, 0, 0, 0, 0])):
        logits[example, range(5), path] = 5
    assert WORDS.decode(logits) == [{"text": "yes no"}, {"text": ""}]
    explained = np.asarray(WORDS.explained(logits.astype("float32")))
    assert explained.shape == (2, 4)
    assert explained[0].argsort()[-2:].tolist() in ([1, 2], [2, 1])
    assert explained[0, 1:].argmin() == 2


# Parameters


@pytest.mark.parametrize(
    "values",
    [
        {"symbols": ()},
        {"symbols": ("a", "a")},
        {"symbols": ("a", "")},
        {"symbols": ("a", 1)},
        {"unit": "sentence"},
        {"seconds": 0.1},
        {"seconds": 61.0},
        {"seconds": float("nan")},
        {"times": 0},
        {"least": 1.1},
        {"rate": 3999},
        {"rate": 96_001},
        {"rate": 8000.0},
        {"joined": 0},
        {"joined": 2.0},
    ],
)
def test_unusable_parameters_are_refused(values):
    with pytest.raises(SpecError, match=f"{next(iter(values))}"):
        CtcSpeechRecognition(**{"symbols": ("a", "b"), **values})


@pytest.mark.parametrize("task", [WORDS, LETTERS, SpeechRecognition(rate=16_000)], ids=["words", "letters", "plain"])
def test_parameters_survive_json(task):
    stored = json.loads(json.dumps(task.parameters()))
    plain = type(task)(symbols=("other",)) if isinstance(task, CtcSpeechRecognition) else type(task)()
    assert plain.with_parameters(stored) == task


def test_sounds_of_any_kind_are_taken():
    task = SpeechRecognition(rate=RATE)
    encoded = task.encode({"audio": (16_000, tone(400, rate=16_000))})
    assert encoded.shape == (1, round(0.3 * RATE))
    assert encoded.dtype == np.float32
    for inputs in ({}, {"audio": None}):
        with pytest.raises(InputError, match="no sound"):
            WORDS.encode(inputs)
    assert WORDS.warm_input().shape == (1, RATE)
    assert [field.name for field in WORDS.inputs] == ["audio", "search"]
    assert WORDS.inputs[0].alternatives == ("live-audio",)


def test_what_is_wrong_with_a_recording_is_said():
    assert WORDS.notes(np.zeros(999, "float32")) == ["The recording is silent: is the microphone muted?"]
    sine = np.sin(np.arange(8000) * 0.3)
    assert "too loud" in WORDS.notes(np.clip(2 * sine, -1, 1).astype("float32"))[0]
    assert WORDS.notes(0.5 * sine.astype("float32")) == []


def test_an_answer_has_all_fields_of_the_task():
    words = [
        Word(text="yes", start=0.104, end=0.3, confidence=0.98765),
        Word(text="no", start=0.5, end=0.7, confidence=1.0),
    ]
    answer = WORDS.answer(np.zeros(RATE, "float32"), words, note="Mind.")
    assert answer.keys() | {"lattice"} == {field.name for field in WORDS.outputs}
    assert answer["text"] == "yes no"
    assert answer["note"].endswith("muted? Mind.")
    assert answer["words"][0] == {"word": "yes", "from (s)": 0.1, "to (s)": 0.3, "confidence": 0.988}
    assert WORDS.answer(np.ones(RATE, "float32"), [], text="x")["text"] == "x"


# Training


def test_rows_to_train_on():
    task = CtcSpeechRecognition(symbols=("no", "yes"), rate=RATE, seconds=2.0, times=3)
    split = recordings(["yes", "no", "yes", "yes no"] * 5)
    rows = task.to_train_on(split)
    assert rows.inputs.shape == (len(rows.targets), 2 * RATE)
    assert rows.inputs.dtype == np.float16
    assert rows.targets.dtype == np.int32
    counts = np.bincount(rows.targets.ravel(), minlength=3)
    assert counts[1:].tolist() == [3 * 10, 3 * 15], "each recording three times"
    for row in rows.targets:
        assert not row[np.count_nonzero(row) :].any(), "0 after the last"
    assert (np.count_nonzero(rows.targets, axis=1) == rows.targets.shape[1]).any()
    again = task.to_train_on(split)
    np.testing.assert_array_equal(again.inputs, rows.inputs)
    np.testing.assert_array_equal(again.targets, rows.targets)


def test_rows_of_characters_have_spaces_between_recordings():
    rows = LETTERS.to_train_on(recordings(["ab", "b"] * 10))
    texts = [LETTERS.text_of(row[row > 0]) for row in rows.targets]
    assert set(" ".join(texts).split()) == {"ab", "b"}
    assert sum(len(text.split()) for text in texts) == 2 * 20


@pytest.mark.slow
def test_unknown_words_are_made_up_where_there_is_a_symbol_for_them():
    split = recordings(["yes", "no"] * 100)
    rows = WORDS.to_train_on(split)
    counts = np.bincount(rows.targets.ravel(), minlength=4)
    assert counts[1:3].tolist() == [3 * 100, 3 * 100]
    assert 0 < counts[3] <= 3 * 0.06 * 200
    assert counts[3] % 3 == 0
    only = CtcSpeechRecognition(symbols=("yes", UNKNOWN), rate=RATE, seconds=2.0, times=3)
    rows = only.to_train_on(recordings(["yes"] * 50))
    assert np.bincount(rows.targets.ravel(), minlength=3)[2] == 0, "one word alone has no halves of others"


def test_what_cannot_be_spelled_is_not_trained_on():
    with pytest.raises(DataError, match="does not know"):
        CtcSpeechRecognition(symbols=("yes",), rate=RATE).to_train_on(recordings(["yes", "no"]))


# Measuring


def test_rows_to_measure_on_are_of_one_speaker_each():
    texts, speakers = ["yes", "no", "yes no", "", "no"] * 4, ["Ann", "Bob", "Ann", "Bob", "Cem"] * 4
    split = recordings(texts, speakers)
    rows = WORDS.to_measure_on(split)
    # Eight recordings of Ann and of Bob, four of Cem, each four times, three in a row; the last row is filled.
    assert [rows.inputs["speaker"].tolist().count(name) for name in ("Ann", "Bob", "Cem")] == [11, 11, 6]
    assert TIMES_MEASURED == 4
    for who, text in zip(rows.inputs["speaker"], rows.targets, strict=True):
        allowed = {t for t, name in zip(texts, speakers, strict=True) if name == who}
        assert set(text.split()) <= {word for t in allowed for word in t.split()}
        assert text == " ".join(text.split())
    for waveform in rows.inputs["audio"]:
        assert waveform.dtype == np.float32
        assert 3 * 0.3 < len(waveform) / RATE < 3 * 0.5 + 4 * 0.5
    again = WORDS.to_measure_on(split)
    assert again.targets.tolist() == rows.targets.tolist()
    for one, other in zip(again.inputs["audio"], rows.inputs["audio"], strict=True):
        np.testing.assert_array_equal(one, other)


def test_each_by_itself_is_measured_as_it_is():
    split = recordings(["ab", "b"], ["Ann", "Bob"])
    rows = LETTERS.to_measure_on(split)
    assert rows.targets.tolist() == ["ab", "b"]
    assert rows.inputs["speaker"].tolist() == ["Ann", "Bob"]
    for waveform, (_, samples) in zip(rows.inputs["audio"], split.inputs["audio"], strict=True):
        np.testing.assert_allclose(waveform, samples / 2**15, atol=1e-7)


# Errors


def test_error_rates_by_hand():
    said = ["one two three", "four", "five six", "seven"]
    heard = ["one too three", "", "five six six", "seven"]
    # Of seven words one was taken for another, one was not heard; one more was heard that nobody said.
    found = error_rates(heard, said)
    assert found["word_error_rate"] == pytest.approx(3 / 7)
    assert found["recording_accuracy"] == pytest.approx(1 / 4)
    # o for w; four characters; a space, s, i, x. Of 13 + 4 + 8 + 5.
    assert found["character_error_rate"] == pytest.approx(9 / 30)
    assert WORDS.evaluate({"text": np.array(heard, object)}, np.array(said, object)) == found


def test_what_is_heard_where_nobody_speaks_counts():
    found = error_rates(["x y", "one"], ["", "one two"])
    assert found["word_error_rate"] == pytest.approx((2 + 1) / 2)
    assert error_rates(["", "one"], ["", "one"]) == {
        "word_error_rate": 0,
        "character_error_rate": 0,
        "recording_accuracy": 1,
    }
    nothing = error_rates(["x", ""], ["", " "])
    assert np.isnan([nothing["word_error_rate"], nothing["character_error_rate"]]).all()
    assert nothing["recording_accuracy"] == 0.5


WORD_LISTS = st.lists(st.sampled_from(["one", "two", "three"]), max_size=5).map(" ".join)


@given(st.lists(st.tuples(WORD_LISTS, WORD_LISTS), min_size=1, max_size=5))
@settings(deadline=None)
def test_error_rates_are_those_of_jiwer(pairs):
    heard, said = map(list, zip(*pairs, strict=True))
    if any(said):
        found = error_rates(heard, said)
        assert found["word_error_rate"] == pytest.approx(jiwer.wer(said, heard))
        assert found["character_error_rate"] == pytest.approx(jiwer.cer(said, heard))
        tables = error_report(heard, said, ["Ann"] * len(said))
        assert tables[0].rows[0][2] == pytest.approx(found["word_error_rate"])
        wrong = sum(row[0] for table in tables if table.title.startswith("The worst") for row in table.rows)
        assert wrong == round(found["word_error_rate"] * len(" ".join(said).split()))


def test_tables_of_errors_by_hand():
    said = ["one two", "one two", "three", "three"]
    heard = ["one too", "one too", "three four", ""]
    outputs = {"text": np.array(heard, object), "speaker": np.array(["Bob", "Bob", "Ann", "Ann"], object)}
    speakers, confusions, worst = WORDS.report(outputs, np.array(said, object), None)
    assert all(isinstance(table, Table) for table in (speakers, confusions, worst))
    assert speakers.rows == [("Ann", 2, 1.0), ("Bob", 4, 0.5)]
    assert confusions.rows[0] == ("two", "too", 2)
    assert set(confusions.rows[1:]) == {("(nothing)", "four", 1), ("three", "(nothing)", 1)}
    assert worst.rows == [
        (1, "one two", "one too"),
        (1, "one two", "one too"),
        (1, "three", "three four"),
        (1, "three", ""),
    ]


def test_tables_where_there_is_little_to_say():
    assert error_report(["one"], ["one"], [""]) == []
    assert error_report(["one"], [""], [""]) == []
    (speakers,) = error_report(["one", ""], ["one", ""], ["Ann", "Bob"])
    assert speakers.rows[0] == ("Ann", 1, 0.0)
    assert speakers.rows[1][:2] == ("Bob", 0)
    many = error_report(["x"] * 30, [f"w{n}" for n in range(30)], [""] * 30)
    assert [len(table.rows) for table in many] == [12, 12]


# Pictures


def test_a_spectrogram_shows_a_tone_where_it_is():
    for rate in (4_000, 8_000, 16_000, 44_100):
        for share in (0.1, 0.5, 0.85):
            hertz = share * rate / 2
            sound = np.concatenate([np.zeros(rate), np.sin(2 * np.pi * hertz * np.arange(rate) / rate)])
            plane = spectrogram(sound.astype("float32"), rate)
            assert plane.max() == 0
            assert plane.min() >= LEAST_DECIBELS
            bands, times = plane.shape
            assert times <= MOST_COLUMNS
            loudest = plane[:, int(0.75 * times)].argmax()
            assert (loudest + 0.5) / bands == pytest.approx(share, abs=1 / bands)
            assert (plane[:, : int(0.4 * times)] == LEAST_DECIBELS).all()


@pytest.mark.parametrize("count", [1, 50, 160, 8000, 200_000])
def test_sounds_of_every_length_are_drawn(count):
    sound = np.random.default_rng(0).normal(0, 0.1, count).astype("float32")
    words = [Word(text=f"w{n}", start=n / 99, end=(n + 1) / 99, confidence=0.5) for n in range(MOST_WORDS + 5)]
    outline, plane = sound_pictures(sound, RATE, words)
    (line,) = outline.lines
    assert len(line.x) <= MOST_COLUMNS
    assert (line.low <= line.high).all()
    assert max(np.abs(line.low).max(), np.abs(line.high).max()) == pytest.approx(1)
    assert outline.marks == [(word.start, word.text) for word in words[:MOST_WORDS]]
    assert outline.x_range == plane.x_range == (0, count / RATE)
    assert plane.y_range == (0, 4)
    assert [list(line.x) for line in plane.lines] == [[word.start, word.end] for word in words[:MOST_WORDS]]
    assert np.isfinite(plane.values).all()


def test_silence_is_drawn():
    outline, plane = sound_pictures(np.zeros(RATE, "float32"), RATE, [])
    assert not np.any(outline.lines[0].y)
    assert np.isfinite(plane.values).all()


def test_the_lattice_has_what_was_heard():
    probabilities = np.full([1000, 5], 0.01)
    probabilities[:, 0] = 0.96
    probabilities[500, [0, 3]] = 0.1, 0.86
    plot = lattice(probabilities, ["(nothing)", "a", "b", "c", "d"], 40.0)
    assert plot.row_labels == ["(nothing)", "c"]
    assert plot.values.shape == (2, MOST_COLUMNS)
    assert plot.values[1].max() == pytest.approx(0.86), "a single frame is not lost"
    assert plot.values[1].argmax() == pytest.approx(MOST_COLUMNS / 2, abs=1)
    assert len(lattice(probabilities[:3, :1].repeat(2, 1), ["x", "y"], 0.1).row_labels) == 2
