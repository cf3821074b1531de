"""How good `language/translation` is, beside a translation memory: the translation of the nearest training sentence.

    pip install -e ".[bench]"
    python benchmarks/translation.py

Both are measured on the same test texts, both ways, by sacreBLEU, whose signatures are printed: BLEU and chrF with all
translations of a text as references, and BLEU with the first of them alone. After that one sentence is timed, warm.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sklearn.feature_extraction.text import TfidfVectorizer

from layerwise import open_workspace
from layerwise.data import load
from layerwise.evaluation import compute_outputs
from layerwise.runner import make_runner

MODEL = "language/translation"
SENTENCE = "Tom has never been to Boston."
AT_ONCE = 256


def nearest(known: list[str], asked: list[str]) -> list[int]:
    """For each text asked for the place of the known one that shares most groups of characters with it, weighted by how
    rare they are (cosine of TF-IDF)."""
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    vectors: Any = vectorizer.fit_transform(known)
    found: list[int] = []
    for start in range(0, len(asked), AT_ONCE):
        alike = vectorizer.transform(asked[start : start + AT_ONCE]) @ vectors.T
        found += np.asarray(alike.argmax(axis=1)).reshape(-1).tolist()
    return found


def remembered(train: Any, texts: np.ndarray, direction: np.ndarray) -> dict[str, np.ndarray]:
    """What a translation memory says."""
    sides = [str(text) for text in np.asarray(train.inputs)], [str(text) for text in np.asarray(train.targets)]
    said = np.empty(len(texts), object)
    for way, (known, other) in enumerate((sides, sides[::-1])):
        chosen = np.flatnonzero(direction == way)
        said[chosen] = [other[place] for place in nearest(known, texts[chosen].tolist())]
    return {"text": said, "direction": direction}


def main() -> None:
    """Measure, and print."""
    with open_workspace() as workspace:
        spec = workspace.registry.snapshot().model(MODEL)
        version = workspace.versions.current(spec)
        splits = load(workspace.registry.snapshot().dataset(str(spec.data))).splits
        test = version.task.to_measure_on(splits["test"])
        outputs = compute_outputs(make_runner(spec, version), test)
        memory = remembered(splits["train"], test.inputs["text"], test.inputs["direction"])
        for name, said in (("network", outputs), ("translation memory", memory)):
            figures = version.task.evaluate(said, np.asarray(test.targets))
            print(f"{name}: " + ", ".join(f"{metric} {value:.1f}" for metric, value in figures.items()))
        for metric in (BLEU(), CHRF()):
            metric.corpus_score(["a"], [["a"]])
            print(f"  {metric.get_signature()} (nrefs: those of each text)")
        workspace.predictor.predict(MODEL, SENTENCE)
        seconds = []
        for _ in range(20):
            begin = time.perf_counter()
            answer = workspace.predictor.predict(MODEL, SENTENCE)
            seconds.append(time.perf_counter() - begin)
        print(f"{SENTENCE} = {answer['translation']} in {1000 * statistics.median(seconds):.0f} ms (median of 20)")


if __name__ == "__main__":
    main()
