"""Recordings of a user's own, with what is said in them."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.errors import DataError
from layerwise.tasks import CtcSpeechRecognition
from layerwise.tasks.sounds import load_sound
from layerwise.tasks.speech.recordings import LONGEST, normalised, read_recordings
from layerwise.tasks.speech.words import UNKNOWN

TASK = CtcSpeechRecognition(symbols=("any",), rate=8000, seconds=2.0, joined=3, least=0.4)


def write_sound(path: Path, seconds: float = 0.3, rate: int = 8000, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(seed).integers(-999, 999, int(seconds * rate)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.tobytes())


def write_table(path: Path, header: str, rows: list[str], encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n", encoding=encoding)


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """Twenty recordings without a table yet."""
    for number in range(20):
        write_sound(tmp_path / "calls" / "clips" / f"{number}.wav", 0.2 + 0.01 * number, seed=number)
    return tmp_path / "calls"


def everything(found):
    """What was said and by whom in each file, over all splits."""
    return {
        file.name: (str(text), str(who))
        for part in found.splits.values()
        for file, who, text in zip(part.inputs["audio"], part.inputs["speaker"], part.targets, strict=True)
    }


# Folders by word


def test_a_folder_for_each_word(tmp_path):
    for number, word in enumerate(("Yes!", "no", "don't know", UNKNOWN.strip("<>"))):
        for index in range(10):
            write_sound(tmp_path / word / f"{index}.wav", 0.2 + 0.1 * number, seed=10 * number + index)
    soundfile.write(tmp_path / "no" / "stereo.flac", np.zeros([22050, 2]), 44100)
    found = read_recordings(tmp_path)
    assert found.symbols == ("don't-know", "no", "unknown", "yes")
    assert (found.unit, found.are_words, found.longest) == ("word", True, pytest.approx(0.5))
    assert {name: len(part) for name, part in found.splits.items()} == dict(found.report.splits)
    assert sum(found.report.splits.values()) == 41
    for part in found.splits.values():
        for file, word in zip(part.inputs["audio"], part.targets, strict=True):
            assert "-".join(normalised(file.parent.name).split()) == word
            assert len(load_sound(file, 8000)) >= 1600
        assert set(part.inputs["speaker"]) == {""}
        assert set(part.targets) == set(found.symbols), "each word is in either split"


def test_a_folder_may_hold_words_that_nobody_knows(tmp_path):
    for word in ("yes", UNKNOWN):
        for index in range(5):
            write_sound(tmp_path / word / f"{index}.wav", seed=index)
    found = read_recordings(tmp_path)
    assert found.symbols == (UNKNOWN, "yes")
    data = TASK.read_folder(tmp_path)
    assert data.task.least == TASK.least
    assert [data.task.symbols[n - 1] for n in data.task.numbers_of("yes perhaps")] == ["yes", UNKNOWN]


def test_folders_may_be_divided_already(tmp_path):
    for split in ("train", "test"):
        for word in ("yes", "no"):
            for index in range(3):
                write_sound(tmp_path / split / word / f"{index}.wav", seed=10 * len(split + word) + index)
    found = read_recordings(tmp_path)
    assert {name: len(part) for name, part in found.splits.items()} == {"train": 6, "test": 6}
    for name, part in found.splits.items():
        assert {file.parent.parent.name for file in part.inputs["audio"]} == {name}


def test_folders_of_words_that_are_spelled_alike_are_refused(tmp_path):
    for word in ("Yes", "yes!"):
        for index in range(3):
            write_sound(tmp_path / word / f"{index}.wav", seed=index)
    with pytest.raises(DataError, match="alike or empty"):
        read_recordings(tmp_path)


def test_unreadable_files_of_folders_are_left_out_and_reported(tmp_path):
    for word in ("yes", "no"):
        for index in range(30):
            write_sound(tmp_path / word / f"{index}.wav", seed=index)
    (tmp_path / "no" / "broken.wav").write_bytes(b"RIFF no sound")
    (tmp_path / "no" / "empty.wav").write_bytes(b"")
    write_sound(tmp_path / "no" / "short.wav", 0.001)
    found = read_recordings(tmp_path)
    assert {item.name: item.reason for item in found.report.unreadable} == {
        "no/broken.wav": "This file cannot be read as a sound",
        "no/empty.wav": "This file cannot be read as a sound",
        "no/short.wav": "The sound is too short",
    }
    assert sum(map(len, found.splits.values())) == 60


def test_a_folder_with_a_sound_that_is_too_long_is_refused(tmp_path):
    for word in ("yes", "no"):
        for index in range(5):
            write_sound(tmp_path / word / f"{index}.wav", seed=index)
    write_sound(tmp_path / "no" / "long.wav", LONGEST + 1, rate=1000)
    with pytest.raises(DataError, match="at most 30 seconds"):
        read_recordings(tmp_path)


def test_links_out_of_a_folder_are_refused(tmp_path):
    for word in ("yes", "no"):
        for index in range(5):
            write_sound(tmp_path / "words" / word / f"{index}.wav", seed=index)
    write_sound(tmp_path / "secret.wav")
    (tmp_path / "words" / "no" / "link.wav").symlink_to(tmp_path / "secret.wav")
    with pytest.raises(DataError, match="leads out of the folder"):
        read_recordings(tmp_path / "words")


@pytest.mark.parametrize("name", ["nothing there", "empty"])
def test_nothing_is_refused(name, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"no such folder|No class"):
        read_recordings(tmp_path / name)


# Tables


@pytest.mark.parametrize(("suffix", "separator"), [("tsv", "\t"), ("csv", ","), ("csv", ";")])
@pytest.mark.parametrize("as_file", [False, True])
def test_a_table(calls, suffix, separator, as_file):
    rows = [separator.join([f"clips/{n}.wav", ("Yes?", "NO")[n % 2], f"Person {n % 3}"]) for n in range(20)]
    write_table(calls / f"transcripts.{suffix}", separator.join(["file", "text", "speaker"]), rows)
    found = read_recordings(calls / f"transcripts.{suffix}" if as_file else calls)
    assert everything(found) == {f"{n}.wav": (("yes", "no")[n % 2], f"Person {n % 3}") for n in range(20)}
    assert (found.symbols, found.unit, found.are_words) == (("no", "yes"), "word", False)
    assert found.longest == pytest.approx(0.39)
    assert found.report.sizes["seconds"] == pytest.approx((0.2, 0.295, 0.39))
    assert found.report.sizes["words of a recording"] == (1, 1, 1)
    assert 1 <= len(found.splits["test"]) <= 8
    assert all((calls / sample.value).is_file() for sample in found.report.examples)
    again = read_recordings(calls)
    for name, part in found.splits.items():
        assert part.inputs["audio"].tolist() == again.splits[name].inputs["audio"].tolist()


@pytest.mark.parametrize(
    ("header", "order"),
    [
        ("path\tsentence\tclient_id", "fts"),
        ("client_id\tpath\tsentence", "sft"),
        ("recording\tspeaker\twhat was said", "fst"),
        ("what was said\tfile", "tf"),
        ("file\twhat was said\tspeaker", "fts"),
        ("what was said\tspeaker\tfile", "tsf"),
        ("anything\ttext", "ft"),
        ("anything\ttext\tspeaker", "fts"),
        ("text\tFile", "tf"),
    ],
)
def test_columns_are_known_by_their_names(calls, header, order):
    cells = {"f": "clips/{}.wav", "t": "yes {}", "s": "Ann {}"}
    rows = ["\t".join(cells[kind] for kind in order).format(*[n] * len(order)) for n in range(20)]
    write_table(calls / "a.tsv", header, rows)
    found = everything(read_recordings(calls))
    assert found == {f"{n}.wav": (f"yes {n}", f"Ann {n}" if "s" in order else "") for n in range(20)}


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("a\tb\ttext", "which column names the files"),
        ("a\tb\tfile", "which column has what is said"),
        ("speaker\tpath\tfile", "which column has what is said"),
    ],
)
def test_a_table_whose_columns_are_not_clear_is_refused(calls, header, said):
    write_table(calls / "a.tsv", header, [f"x{n}\ty{n}\tz{n}" for n in range(20)])
    with pytest.raises(DataError, match=said):
        read_recordings(calls)


def test_tables_may_be_divided_already(calls):
    write_table(calls / "train.csv", "file,text", [f"clips/{n}.wav,yes no" for n in range(12)])
    write_table(calls / "test.csv", "text,file", [f"perhaps,clips/{n}.wav" for n in range(12, 20)])
    found = read_recordings(calls)
    assert {name: len(part) for name, part in found.splits.items()} == {"train": 12, "test": 8}
    assert set(found.splits["test"].targets) == {"perhaps"}
    assert found.symbols == ("no", "yes"), "only what it can learn"


def test_common_words_are_learned_as_words_and_rare_ones_as_characters(calls):
    write_table(calls / "a.tsv", "file\ttext", [f"clips/{n}.wav\tCall me, please!" for n in range(20)])
    found = read_recordings(calls)
    assert (found.unit, found.symbols) == ("word", ("call", "me", "please"))
    write_table(calls / "a.tsv", "file\ttext", [f"clips/{n}.wav\tÄpfel x{n}y{n}z" for n in range(20)])
    found = read_recordings(calls)
    assert found.unit == "character"
    assert {" ", "ä", "p", "f", "e", "l", "x", "y", "z"} <= set(found.symbols)
    assert list(found.symbols) == sorted(set("".join(found.splits["train"].targets)))
    assert any("characters" in text for text in found.report.warnings)
    task = TASK.read_folder(calls).task
    assert task.unit == "character"
    assert task.text_of(task.numbers_of("äpfel  xyz")) == "äpfel xyz"


def test_the_task_has_what_was_found(calls):
    rows = [f"clips/{n}.wav\tyes no" for n in range(20)]
    write_sound(calls / "clips" / "0.wav", 5.0)
    write_table(calls / "a.tsv", "file\ttext", rows)
    data = TASK.read_folder(calls)
    assert data.task.symbols == ("no", "yes")
    assert (data.task.seconds, data.task.joined, data.task.least) == (5.0, 1, 0.0)
    assert (data.task.rate, data.task.times) == (TASK.rate, TASK.times)
    assert {name: len(part) for name, part in TASK.read_to_measure(calls).items()} == data.report.splits
    rows_to_learn = data.task.to_train_on(data.splits["train"])
    assert rows_to_learn.inputs.shape[1] == 5 * 8000


def test_what_cannot_be_used_of_a_table_is_left_out_and_reported(calls, tmp_path):
    write_sound(tmp_path / "secret.wav")
    (calls / "link.wav").symlink_to(tmp_path / "secret.wav")
    (calls / "broken.wav").write_bytes(b"RIFF no sound")
    (calls / "voice.raw").write_bytes(bytes(9999))
    write_sound(calls / "long.wav", LONGEST + 1, rate=1000)
    write_sound(calls / "short.wav", 0.001)
    write_sound(calls / "slow.wav", 10, rate=100)
    bad = {
        "../secret.wav": "It leads out of the folder",
        str(tmp_path / "secret.wav"): "It leads out of the folder",
        "link.wav": "It leads out of the folder",
        "gone.wav": "There is no such file",
        "clips": "There is no such file",
        "broken.wav": "This file cannot be read as a sound",
        "voice.raw": "A .raw file does not say what its rate is",
        "long.wav": "It is longer than 30 seconds",
        "short.wav": "The sound is too short",
        "slow.wav": "The sound has an unusable rate",
        "clips/3.wav": "Nothing is said in it; its text is empty",
    }
    rows = [f"clips/{n % 20}.wav\tgood word {n % 20}" for n in range(200) if n % 20 != 3]
    rows += [f"{name}\t{'?!' if name == 'clips/3.wav' else 'bad word'}" for name in bad]
    write_table(calls / "a.tsv", "file\ttext", rows)
    found = read_recordings(calls)
    assert {item.name: item.reason for item in found.report.unreadable} == bad
    assert found.report.num_unreadable == len(bad)
    assert "bad" not in found.symbols
    assert "bad word" not in {str(text) for part in found.splits.values() for text in part.targets}
    write_table(calls / "a.tsv", "file\ttext", rows[100:])
    with pytest.raises(DataError, match="less than a tenth"):
        read_recordings(calls)


def test_a_split_of_which_nothing_can_be_read_is_refused(calls):
    write_table(calls / "train.csv", "file,text", [f"clips/{n}.wav,yes" for n in range(20)])
    write_table(calls / "test.csv", "file,text", ["gone.wav,yes"])
    with pytest.raises(DataError, match="No recording of test can be read"):
        read_recordings(calls)


def test_rows_without_a_text_are_left_out(calls):
    write_table(calls / "a.csv", "file,text", [f"clips/{n}.wav,{'' if n == 4 else 'yes'}" for n in range(20)])
    found = read_recordings(calls)
    assert "4.wav" not in everything(found)
    assert found.report.warnings[0] == "1 rows have no text and are left out."


def test_names_and_texts_in_any_letters(calls):
    write_sound(calls / "clips" / "Größe 1.wav")
    rows = [f"clips/{n}.wav;Schöne Grüße" for n in range(20)] + ["clips/Größe 1.wav;Schöne Grüße"]
    write_table(calls / "a.csv", "file;text", rows, encoding="cp1252")
    found = read_recordings(calls)
    assert found.symbols == ("grüße", "schöne")
    assert "Größe 1.wav" in everything(found)


# Spelling


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Yes, NO;\tperhaps…\n", "yes no perhaps"),
        ("It’s half-past “two”", "it's half-past two"),
        ("'tis rock-'n'-roll -- really -", "tis rock-'n'-roll really"),
        ("Übergröße", "übergröße"),
        ("Cafe\u0301", "café"),
        ("J\u030c", "ǰ"),
        ("room 101", "room 101"),
        ("привет, мир!", "привет мир"),
        ("नमस्ते", "नमस्ते"),
        (f"yes {UNKNOWN} no", f"yes {UNKNOWN} no"),
        ("?!", ""),
        ("", ""),
    ],
)
def test_texts_are_spelled_alike(text, expected):
    assert normalised(text) == expected


@given(st.text())
@settings(deadline=None)
def test_what_is_spelled_stays_so(text):
    once = normalised(text)
    assert " ".join(once.split()) == once
    assert normalised(once) == once
