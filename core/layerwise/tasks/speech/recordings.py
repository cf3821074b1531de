"""Recordings of a user's own with what is said in them: by word, or with a table of transcripts."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from layerwise.errors import DataError
from layerwise.own_data import SHOWN_UNREADABLE, DataReport, Sample, Unreadable, check_unreadable, size_range
from layerwise.splits import Split
from layerwise.tasks.audio_folder import SoundInfo, read_sounds, sound_info
from layerwise.tasks.csv_files import write_csv
from layerwise.tasks.speech.words import UNKNOWN
from layerwise.tasks.table_folder import Tables, divided, read_tables
from layerwise.tasks.tables import SUFFIXES

LONGEST = 30.0
"""The most seconds of a recording that is trained on."""
OFTEN, SHARE = 5, 0.8
"""Words are learned as such where this share of what was said are words that occur so often; otherwise characters."""
TEXTS = ("text", "transcript", "transcription", "sentence")
FILES = ("file", "path", "filename", "audio", "recording", "name")
SPEAKERS = ("speaker", "speaker_id", "client_id")
SAMPLE_RECORDINGS, SAMPLE_RATE = 20, 8000
"""How many recordings of each word, or in all, an example of such data has, and their samples a second."""
SAMPLE_WORDS = {"falling": (1200.0, 300.0), "high": (1200.0, 1200.0), "low": (300.0, 300.0)}
SAMPLE_TONES = {"a": 250.0, "e": 600.0, "i": 1400.0}
"""In hertz, further apart than the speeds at which recordings are played in a training."""


@dataclass(frozen=True, kw_only=True)
class OwnRecordings:
    """What was found.

    Args:
        symbols: The words or characters that were said in "train", sorted.
        unit: "word" or "character".
        are_words: Whether each recording is a single word, by folder.
        longest: Seconds of the longest recording.
        splits: Inputs "audio", paths [recordings], and "speaker", texts; targets what was said, texts.
    """

    symbols: tuple[str, ...]
    unit: str
    are_words: bool
    longest: float
    splits: dict[str, Split]
    report: DataReport


def read_recordings(path: Path) -> OwnRecordings:
    """Recordings as `layerwise.tasks.CtcSpeechRecognition.folder_format` says.

    Raises:
        DataError: They are not like that, or a tenth of them or more is unreadable; a few are left out.
    """
    path = Path(path)
    has_table = path.is_file() or any(file.suffix.lower() in SUFFIXES for file in path.glob("*"))
    return _from_table(path) if has_table else _from_folders(path)


def normalised(text: str) -> str:
    """A transcript as it is spelled: lower case, without punctuation but apostrophes and hyphens within words.

    Example:
        >>> normalised("  It's half-past “two”, isn't it? ")
        "it's half-past two isn't it"
    """
    text = unicodedata.normalize("NFC", text.lower()).replace("’", "'")
    return " ".join(word for part in text.split() for word in ([part] if part == UNKNOWN else _spelled(part)))


def _spelled(part: str) -> list[str]:
    kept = (char if char in "'-" or unicodedata.category(char)[0] in "LMN" else " " for char in part)
    return [word for word in (found.strip("'-") for found in "".join(kept).split()) if word]


def _from_folders(folder: Path) -> OwnRecordings:
    labels, found, report = read_sounds(folder, lambda path: path)
    splits = {
        name: _split(part.inputs[:], [labels[place] for place in part.targets], [""] * len(part))
        for name, part in found.items()
    }
    # A folder's name may be of several words, which are one to the network.
    words = {label: label if label == UNKNOWN else "-".join(normalised(label).split()) for label in labels}
    if len(set(words.values())) != len(words) or not all(words.values()):
        raise DataError("Folders are named by words that are alike or empty", received=", ".join(labels[:10]))
    splits = {
        name: Split(part.inputs, np.array([words[text] for text in part.targets], object))
        for name, part in splits.items()
    }
    longest = report.sizes["seconds"][2]
    _check_longest(longest)
    return OwnRecordings(
        symbols=tuple(sorted(words.values())),
        unit="word",
        are_words=True,
        longest=longest,
        splits=splits,
        report=report,
    )


def _split(paths: Sequence[Path], texts: Sequence[str], speakers: Sequence[str]) -> Split:
    audio = np.empty(len(paths), object)
    audio[:] = paths
    return Split({"audio": audio, "speaker": np.array(speakers, object)}, np.array(texts, object))


def _from_table(path: Path) -> OwnRecordings:
    tables = _tables_with_texts(path)
    column = _file_column(tables)
    speaker = _column(tables, SPEAKERS)
    tables = divided(tables, [""] * len(tables.splits["train"]))
    root = (path.parent if path.is_file() else path).resolve()
    said = tables.targets()
    files = {split: cells.stripped() for split, cells in tables.cells(column).items()}
    nobody = {split: [""] * len(names) for split, names in files.items()}
    spoken = {split: c.stripped() for split, c in tables.cells(speaker).items()} if speaker else nobody
    unreadable: list[Unreadable] = []
    infos: list[SoundInfo] = []
    splits: dict[str, Split] = {}
    for split, names in files.items():
        paths, texts, speakers = [], [], []
        for name, text, who in zip(names, map(normalised, said[split]), spoken[split], strict=True):
            try:
                infos.append(_info(root, name, text))
            except (DataError, OSError, ValueError) as error:
                reason = error.what if isinstance(error, DataError) else getattr(error, "strerror", None) or str(error)
                unreadable.append(Unreadable(name=name, reason=reason))
                continue
            paths.append(root / name)
            texts.append(text)
            speakers.append(who)
        splits[split] = _split(paths, texts, speakers)
    warnings = [*check_unreadable(unreadable, sum(map(len, files.values()))), *tables.warnings]
    for split, part in splits.items():
        if not len(part):
            raise DataError(f"No recording of {split} can be read", remedy="repair them")
    symbols, unit = _symbols(splits["train"].targets)
    seconds = [info.seconds for info in infos]
    sizes = {
        "seconds": size_range(seconds),
        "samples a second": size_range([info.rate for info in infos]),
        "words of a recording": size_range([len(text.split()) for part in splits.values() for text in part.targets]),
    }
    report = DataReport(
        path=str(path),
        what="recordings",
        splits={split: len(part) for split, part in splits.items()},
        sizes=sizes,
        num_unreadable=len(unreadable),
        unreadable=tuple(unreadable[:SHOWN_UNREADABLE]),
        warnings=(*warnings, *_as_characters(unit)),
        examples=_samples(splits["train"], root),
    )
    return OwnRecordings(
        symbols=symbols, unit=unit, are_words=False, longest=max(seconds), splits=splits, report=report
    )


def _samples(train: Split, root: Path) -> tuple[Sample, ...]:
    return tuple(
        Sample(label=str(text)[:80], kind="audio", value=file.relative_to(root).as_posix())
        for file, text in zip(train.inputs["audio"][:5], train.targets[:5], strict=True)
    )


def _as_characters(unit: str) -> list[str]:
    return ["Most words are rare, so the network learns characters."] * (unit == "character")


def _tables_with_texts(path: Path) -> Tables:
    """The tables with what was said as their target, also where its column has a name of its own and is not the last.

    Raises:
        DataError: It is not clear which column that is.
    """
    tables = read_tables(path, TEXTS)
    if tables.target.lower() not in (*FILES, *SPEAKERS):
        return tables
    header = tables.splits["train"].header
    others = [name for name in header if name.lower() not in (*FILES, *SPEAKERS)]
    if len(others) != 1:
        raise DataError(
            "The table does not say which column has what is said",
            expected=f"a column {TEXTS[0]!r}",
            received=", ".join(header),
        )
    return read_tables(path, others)


def _column(tables: Tables, names: Sequence[str]) -> str | None:
    """The first column that has one of these names."""
    header = tables.splits["train"].header
    return next((name for wanted in names for name in header if name.lower() == wanted), None)


def _file_column(tables: Tables) -> str:
    header = tables.splits["train"].header
    speaker = _column(tables, SPEAKERS)
    others = [name for name in header if name not in (tables.target, speaker)]
    found = _column(tables, FILES) or (others[0] if len(others) == 1 else None)
    if found is None:
        raise DataError(
            "The table does not say which column names the files",
            expected=f"a column {FILES[0]!r}, or no other than that of the texts",
            received=", ".join(header),
        )
    return found


def _info(root: Path, name: str, text: str) -> SoundInfo:
    path = (root / name).resolve()
    if not path.is_relative_to(root):
        raise DataError("It leads out of the folder")
    if not path.is_file():
        raise DataError("There is no such file")
    if not text:
        raise DataError("Nothing is said in it; its text is empty")
    info = sound_info(path)
    if info.seconds > LONGEST:
        raise DataError(f"It is longer than {LONGEST:.0f} seconds")
    return info


def _check_longest(longest: float) -> None:
    if longest > LONGEST:
        raise DataError(
            "A recording is too long to learn from",
            expected=f"at most {LONGEST:.0f} seconds",
            received=f"{longest:.0f} seconds",
            remedy="cut it into parts",
        )


def _symbols(texts: Iterable[str]) -> tuple[tuple[str, ...], str]:
    """What the network learns to say, and whether these are words."""
    counts: Mapping[str, int] = Counter(word for text in texts for word in str(text).split())
    often = sum(count for count in counts.values() if count >= OFTEN)
    if often >= SHARE * sum(counts.values()):
        return tuple(sorted(counts)), "word"
    return tuple(sorted({char for word in counts for char in word} | {" "})), "character"


def write_sample(folder: Path, unit: str) -> None:
    """Write tones of different heights in the place of speech.

    Args:
        folder: An empty folder.
        unit: "word" for a folder of recordings for each word; "character" for a table of texts that are so rare that a
            network learns their characters, each a tone.
    """
    random = np.random.default_rng(0)
    if unit == "word":
        for word, tones in SAMPLE_WORDS.items():
            (folder / word).mkdir()
            for number in range(1, SAMPLE_RECORDINGS + 1):
                _write_tones(folder / word / f"{number}.wav", tones, random)
        return
    rows = []
    for number in range(1, SAMPLE_RECORDINGS + 1):
        words = ["".join(random.choice([*SAMPLE_TONES], random.integers(2, 5))) for _ in range(2)]
        name, text = f"{number}.wav", " ".join(words)
        _write_tones(folder / name, [SAMPLE_TONES.get(letter, 0.0) for letter in text], random)
        rows.append((name, text))
    write_csv(folder / "transcripts.tsv", ("file", "text"), rows)


def _write_tones(path: Path, tones: Sequence[float], random: np.random.Generator) -> None:
    """Tones in hertz, one after another; 0 is silence."""
    import soundfile

    times = np.arange(round(random.uniform(0.12, 0.18) * SAMPLE_RATE)) / SAMPLE_RATE
    pitch, level = random.uniform(0.95, 1.05), random.uniform(0.2, 0.5)
    swelling = level * np.sin(np.pi * times / times[-1])
    parts = [swelling * np.sin(2 * np.pi * pitch * tone * times) for tone in tones]
    silence = np.zeros(SAMPLE_RATE // 20)
    soundfile.write(path, np.concatenate([silence, *parts, silence]), SAMPLE_RATE, subtype="PCM_16")
