"""How fast `speech/digits-and-words` hears, whether it hears the same while somebody speaks, what it makes of silence
and of other words, and how large it is exported.

    python benchmarks/speech.py [REFERENCE]

Needs the data set spoken-words. The exit status says whether the bars are met.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from typing import Any

MODEL = "speech/digits-and-words"
CHUNK = 0.1
"""Seconds that a microphone gives at a time."""
BARS = {"one second (ms)": 30.0, "the same words while it lasts": 0.95}


def seconds_for(runner: Any, waveform: Any) -> float:
    """Median of the milliseconds in which a sound becomes a text, without the pictures that a page shows of it."""
    taken = []
    for _ in range(30):
        begin = time.perf_counter()
        runner.outputs({"audio": [waveform]})
        taken.append(1000 * (time.perf_counter() - begin))
    return statistics.median(taken)


def heard_while_it_lasts(runner: Any, waveform: Any, rate: int) -> str:
    """What is heard of a sound that comes chunk by chunk, each asked about as the web app does."""
    import numpy as np

    text = ""
    for stop in range(round(CHUNK * rate), len(waveform) + round(CHUNK * rate), round(CHUNK * rate)):
        part = np.array(waveform[:stop])
        answers = list(runner.run({"audio": (rate, part)}, "visitor", threading.Event()))
        text = answers[-1]["text"]
    runner.end_session("visitor")
    return text


def main() -> int:
    reference = sys.argv[1] if len(sys.argv) > 1 else MODEL
    import numpy as np

    import layerwise
    from layerwise.data import load
    from layerwise.evaluation import find_split
    from layerwise.export import export
    from layerwise.runner import make_runner

    with layerwise.open_workspace() as workspace:
        snapshot = workspace.registry.snapshot()
        version = workspace.predictor.version(reference)
        runner: Any = make_runner(snapshot.model(version.name), version)
        runner.warm()
        task: Any = version.task
        rows = task.to_measure_on(find_split(snapshot, version, "test", None)[-1])
        sounds = list(rows.inputs["audio"])
        second = seconds_for(runner, sounds[0][: task.rate])
        print(f"one second of sound: median {second:.1f} ms (bar {BARS['one second (ms)']:.0f} ms)")
        whole = runner.outputs({"audio": sounds})["text"]
        kept = range(0, len(sounds), 4)
        same = [heard_while_it_lasts(runner, sounds[place], task.rate) == whole[place] for place in kept]
        share = sum(same) / len(same)
        print(f"the same words while it lasts, {len(kept)} rows: {share:.1%} (bar 95 %)")
        random = np.random.default_rng(0)
        loudness = [0.0, *(10 ** (-level / 20) for level in range(20, 60))]
        noises = [(loud * random.normal(size=5 * task.rate)).astype("float32") for loud in loudness]
        silent = sum(text == "" for text in runner.outputs({"audio": noises})["text"])
        print(f"nothing heard in silence and noise: {silent} of {len(noises)}")
        for split in ("test-words", "unseen"):
            recordings = load(snapshot.dataset("spoken-words"), snapshot).splits[split]
            strange = [place for place in range(len(recordings)) if recordings.targets[place] == "<unknown>"]
            waveforms = [task.waveform({"audio": recordings.inputs["audio"][place]}) for place in strange]
            texts = runner.outputs({"audio": waveforms})["text"] if waveforms else []
            guessed = sum(text not in ("", "<unknown>") for text in texts)
            print(f"other words ({split}) taken for known ones: {guessed} of {len(texts)}")
        with tempfile.TemporaryDirectory() as folder:
            for name, precision in (("onnx", "float32"), ("litert", "float32"), ("litert", "int8")):
                exported = export(workspace, reference, name, to=folder, precision=precision)
                print(f"exported as {name}, {precision}: {exported.path.stat().st_size / 1e6:.2f} MB")
    return 0 if second <= BARS["one second (ms)"] and share >= BARS["the same words while it lasts"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
