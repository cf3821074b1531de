"""Writing down speech with published weights of the Whisper family: Layerwise beside transformers and PyTorch, on the
same recordings.

    pip install -e ".[hub]"
    LAYERWISE_DATA=... python benchmarks/whisper.py FOLDER

FOLDER holds a published network: config.json, *.safetensors and tokenizer.json (benchmarks/convert_whisper.py makes one
without the hub). The recordings are real ones: single words of Speech Commands and digits of FSDD, six of one data set
one after the other as a clip. Both sides are loaded into one process, are given the waveform of each clip in turn, and
write the most probable tokens with timestamps, float32, with their caches; which of them is first changes from clip to
clip. What is compared: what the encoder says, also with transformers in 64 bits, as a few places amplify what is
rounded; the tokens; how many seconds of sound are written down in one second; the seconds to the first token of the
text; and the memory. The exit status says whether the bars are met.

Other work on the same processor slows PyTorch's threads down more than TensorFlow's, which makes the ratio look better:
measure on a machine that does nothing else, or with `--threads 1`.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from layerwise import engines
from layerwise.devices import quiet_import

BARS = {"heard": 1e-3, "clips": 10, "ratio": 1.0}
"""The largest difference of a number that the encoder says; the least number of clips that are compared; the least
ratio of speeds."""
RATE = 16_000
IN_A_CLIP, GAP = 6, 0.3
"""Recordings of a clip, and seconds of silence after each."""
MOST = 224
"""Tokens of a text."""


@dataclass
class Side:
    """What one side did.

    Args:
        bytes_taken: By how much the process grew when it was loaded and wrote its first text.
        tokens: Of each clip, timestamps included.
        first: Seconds to the first token of each text.
        seconds: That each clip took.
    """

    bytes_taken: int = 0
    tokens: list[list[int]] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


class Ours:
    """Layerwise."""

    def __init__(self, folder: Path) -> None:
        quiet_import()
        from layerwise_speech.whisper.network import Whisper
        from layerwise_speech.whisper.published import load_published, read_published
        from layerwise_speech.whisper.task import Transcription

        published = read_published(folder)
        self.special, self.shape = published.special, published.shape
        self.task = Transcription(
            samples=self.shape.num_samples, tokenizer=published.tokenizer, special=published.special
        )
        whisper = Whisper(published.shape, is_blank=True)
        load_published(whisper, published)
        compile_predict = engines.current().compile_predict
        self._read = compile_predict(whisper.reader(), xla=True)  # as the runner does
        self._write = compile_predict(whisper.writer())

    def heard(self, waveform: np.ndarray) -> np.ndarray:
        """What the encoder says, [places, dimensions]."""
        return self._read(self.task.window(waveform))["heard"][0]

    def write(self, waveform: np.ndarray, side: Side) -> None:
        from layerwise_speech.whisper.cache import KeyValueCache
        from layerwise_speech.whisper.decoding import write

        begin = time.perf_counter()
        moments: list[float] = []

        class Clock(KeyValueCache):
            def extend(self, tokens: Any) -> np.ndarray:
                found = super().extend(tokens)
                moments.append(time.perf_counter())
                return found

        cache = Clock(self._write, self.shape, self._read(self.task.window(waveform)))
        begun = cache.extend(self.special.prompt("en"))[-1]
        written = write(cache, begun, self.special, temperature=0.0, most=MOST)
        assert written is not None
        # The first token is the timestamp; the text begins after it was read.
        record(side, list(written[0]), begin, moments[1])


class Theirs:
    """transformers and PyTorch."""

    def __init__(self, folder: Path) -> None:
        import torch
        from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        self.extractor = WhisperFeatureExtractor()
        self.model: Any = WhisperForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
        self.exact: Any = copy.deepcopy(self.model.model.encoder).double()
        self.end = self.model.generation_config.eos_token_id
        self.named = {"language": "en"} if self.model.generation_config.is_multilingual else {}

    def heard(self, waveform: np.ndarray, is_exact: bool = False) -> np.ndarray:
        """What the encoder says, [places, dimensions], in 64 bits where it is to be exact."""
        import torch

        given = self._features(waveform)
        encoder = self.exact if is_exact else self.model.model.encoder
        with torch.inference_mode():
            return encoder(given.double() if is_exact else given).last_hidden_state[0].numpy()

    def write(self, waveform: np.ndarray, side: Side) -> None:
        import torch
        from transformers.generation.streamers import BaseStreamer

        begin = time.perf_counter()
        moments: list[float] = []

        class Clock(BaseStreamer):
            def put(self, value: Any) -> None:
                moments.append(time.perf_counter())

            def end(self) -> None:
                pass

        with torch.inference_mode():
            found = self.model.generate(
                self._features(waveform),
                return_timestamps=True,
                force_unique_generate_call=True,
                max_new_tokens=MOST,
                streamer=Clock(),
                **self.named,
            )
        prompt = 3 if self.named else 1
        tokens = [token for token in found[0, prompt:].tolist() if token != self.end]
        record(side, tokens, begin, moments[2])  # the prompt, the timestamp, the text

    def _features(self, waveform: np.ndarray) -> Any:
        return self.extractor(waveform, sampling_rate=RATE, return_tensors="pt").input_features


def record(side: Side, tokens: list[int], begin: float, first: float) -> None:
    """Note what was written, and how fast."""
    side.tokens.append(tokens)
    side.first.append(first - begin)
    side.seconds.append(time.perf_counter() - begin)


def clips(count: int) -> list[np.ndarray]:
    """Waveforms float32 [samples] of recordings one after the other, from both data sets by turns."""
    from layerwise.data import load
    from layerwise.tasks.sounds import load_sound
    from layerwise_speech.fsdd import FSDD
    from layerwise_speech.speech_commands import SPEECH_COMMANDS

    random = np.random.default_rng(0)
    sounds = [load(spec).splits["test"].inputs["audio"] for spec in (SPEECH_COMMANDS, FSDD)]
    silence = np.zeros(int(GAP * RATE), "float32")
    found = []
    for number in range(count):
        of = sounds[number % 2]
        chosen = random.choice(len(of), IN_A_CLIP, replace=False)
        found.append(np.concatenate([part for place in chosen for part in (load_sound(of[place], RATE), silence)]))
    return found


def resident_bytes() -> int:
    """What this process has in memory, 0 where the system does not tell."""
    path = Path("/proc/self/statm")
    return int(path.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if path.is_file() else 0


def measure(folder: Path, count: int) -> dict[str, Any]:
    """All figures, by name."""
    quiet_import()  # so that the memory that is measured is without the frameworks
    import torch  # noqa: F401
    import transformers  # noqa: F401

    waveforms = clips(count)
    sides, networks = {}, {}
    for name, kind in (("layerwise", Ours), ("transformers", Theirs)):
        former = resident_bytes()
        networks[name], sides[name] = kind(folder), Side()
        networks[name].write(waveforms[0], Side())
        sides[name].bytes_taken = resident_bytes() - former
    ours, theirs = networks["layerwise"], networks["transformers"]
    heard = [(ours.heard(clip), theirs.heard(clip), theirs.heard(clip, is_exact=True)) for clip in waveforms]
    for number, clip in enumerate(waveforms):
        for name in list(networks)[:: 1 if number % 2 else -1]:
            networks[name].write(clip, sides[name])
    lengths = [len(clip) / RATE for clip in waveforms]
    speeds = {
        name: [length / seconds for length, seconds in zip(lengths, side.seconds, strict=True)]
        for name, side in sides.items()
    }
    pairs = list(zip(speeds["layerwise"], speeds["transformers"], strict=True))
    same = zip(sides["layerwise"].tokens, sides["transformers"].tokens, strict=True)
    return {
        "largest difference of the encoder": {
            "as it is": max(_largest(ours, theirs) for ours, theirs, _ in heard),
            "layerwise and exact": max(_largest(ours, exact) for ours, _, exact in heard),
            "transformers and exact": max(_largest(theirs, exact) for _, theirs, exact in heard),
        },
        "same tokens": sum(a == b for a, b in same),
        "clips": count,
        "seconds of sound": sum(lengths),
        "texts": [ours.task.text_of_tokens(tokens).strip() for tokens in sides["layerwise"].tokens],
        "seconds of sound each second": {name: statistics.median(found) for name, found in speeds.items()},
        "ratio": statistics.median(ours / theirs for ours, theirs in pairs),
        "seconds to the first token": {name: statistics.median(side.first) for name, side in sides.items()},
        "bytes taken": {name: side.bytes_taken for name, side in sides.items()},
    }


def _largest(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max())


def main() -> int:
    """Measure, print, and return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of the published network")
    parser.add_argument("--clips", type=int, default=16, help="how many")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--threads", type=int, default=0, help="of each side; 0 for as many as each takes")
    options = parser.parse_args()
    if options.threads:  # read when the frameworks are imported
        os.environ |= dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"), str(options.threads))
    found = measure(options.folder, options.clips)
    met = {
        "heard": found["largest difference of the encoder"]["as it is"] <= BARS["heard"],
        "clips": found["same tokens"] == found["clips"] >= BARS["clips"],
        "ratio": found["ratio"] >= BARS["ratio"],
    }
    if options.json:
        print(json.dumps({**found, "bars": BARS, "met": met}, indent=2))
    else:
        show(found, met)
    return int(not all(met.values()))


def show(found: dict[str, Any], met: dict[str, bool]) -> None:
    """Print the figures."""
    said = {name: "met" if is_met else "MISSED" for name, is_met in met.items()}
    differences = found["largest difference of the encoder"]
    ours, theirs = (differences[f"{side} and exact"] for side in ("layerwise", "transformers"))
    print(f"Largest difference of the encoder: {differences['as it is']:.1e}  bar {BARS['heard']}: {said['heard']}")
    print(f"  from transformers in 64 bits: layerwise {ours:.1e}, transformers {theirs:.1e}")
    print(f"Same tokens: {found['same tokens']} of {found['clips']} clips  bar all, and 10 at least: {said['clips']}")
    print(f"{'':32}{'layerwise':>12}{'transformers':>14}")
    for name, unit, digits, scale in (
        ("seconds of sound each second", "", 1, 1),
        ("seconds to the first token", "", 2, 1),
        ("bytes taken", " in GB", 2, 1e-9),
    ):
        ours, theirs = (found[name][side] * scale for side in ("layerwise", "transformers"))
        print(f"{name + unit:32}{ours:12.{digits}f}{theirs:14.{digits}f}")
    print(f"Ratio of speeds, median of pairs: {found['ratio']:.2f}  bar {BARS['ratio']}: {said['ratio']}")


if __name__ == "__main__":
    sys.exit(main())
