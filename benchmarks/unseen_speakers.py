"""Digits by speakers whom the network has never heard: one speaker of the Free Spoken Digit Dataset left out at a time.

    python benchmarks/unseen_speakers.py [--epochs N] [--speakers jackson,nicolas]

For each of its six speakers `speech/digits-and-words` is trained from random weights on all recordings of the other
five and on the digits in the training part of Speech Commands, in a folder for each digit, as own data are (`layerwise
train speech/digits-and-words --data FOLDER --num-epochs N`), and measured on all 500 recordings of the speaker that was
left out, joined to rows of five (each recording in four rows, by a fixed seed; `layerwise evaluate ... --data FOLDER`).
Nothing is chosen by these figures. The word error rate of each speaker, and of all of their words together. It takes
about 75 minutes on two quiet cores.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

MODEL = "speech/digits-and-words"


def write_words(folder: Path, digits: Any, words: Any, left_out: str) -> None:
    """`train/WORD/` with what is trained on, `test/WORD/` with the speaker that is left out."""
    import soundfile

    for name, split in (*digits.items(), ("words", words)):
        for place in range(len(split)):
            side = "test" if split.inputs["speaker"][place] == left_out else "train"
            rate, samples = split.inputs["audio"][place]
            target = folder / side / split.targets[place]
            target.mkdir(parents=True, exist_ok=True)
            soundfile.write(target / f"{name}-{place}.wav", samples, rate)


def measure(workspace: Any, folder: Path, epochs: int) -> dict[str, Any]:
    """What `layerwise.evaluation.evaluate` gives for a network that was trained on the folder."""
    from layerwise import jobs
    from layerwise.evaluation import evaluate

    spec = workspace.registry.snapshot().model(MODEL)
    config = replace(spec.variant().config, num_epochs=epochs)
    run = jobs.start(workspace.runs, spec, config=config, data=folder)
    last = list(jobs.follow(run))[-1]
    if last["event"] != "finished":
        raise SystemExit(f"{run.id} {last['event']}: {last.get('reason', '')}")
    return evaluate(workspace, f"{MODEL}@{run.id}", data=folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--speakers", help="only these, with commas between them")
    arguments = parser.parse_args()
    from layerwise import open_workspace
    from layerwise.data import load
    from layerwise_speech.fsdd import DIGITS, FSDD
    from layerwise_speech.speech_commands import SPEECH_COMMANDS

    digits, words = load(FSDD).splits, load(SPEECH_COMMANDS).splits["train"]
    words = words.select(np.flatnonzero([word in DIGITS for word in words.targets]))
    speakers = sorted({str(name) for split in digits.values() for name in split.inputs["speaker"]})
    if arguments.speakers:
        speakers = [name for name in speakers if name in arguments.speakers.split(",")]
    rates = []
    with tempfile.TemporaryDirectory() as folder, open_workspace(Path(folder) / "home") as workspace:
        for speaker in speakers:
            begin = time.perf_counter()
            data = Path(folder) / speaker
            write_words(data, digits, words, speaker)
            found = measure(workspace, data, arguments.epochs)
            rates.append(found["metrics"]["word_error_rate"])
            low, high = found["interval"]["word_error_rate"]
            print(
                f"{speaker:>10}: word error rate {rates[-1]:.4f} ({low:.4f} to {high:.4f}), {found['count']} rows, "
                f"{(time.perf_counter() - begin) / 60:.0f} minutes",
                flush=True,
            )
    # All speakers have the same number of words.
    print(f"all, {arguments.epochs} epochs each: word error rate {sum(rates) / len(rates):.4f}")


if __name__ == "__main__":
    main()
