"""How many words were heard wrongly (by jiwer), of whom, and which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from layerwise.plots import Plot, Table

MOST_SHOWN = 12


def error_rates(heard: Sequence[str], said: Sequence[str]) -> dict[str, float]:
    """Word error rate, character error rate and the share of recordings without an error ("accuracy")."""
    words, characters = _rates(heard, said)
    accuracy = sum(one.split() == other.split() for one, other in zip(heard, said, strict=True)) / max(len(said), 1)
    return {"word_error_rate": words, "character_error_rate": characters, "recording_accuracy": accuracy}


def _rates(heard: Sequence[str], said: Sequence[str]) -> tuple[float, float]:
    import jiwer

    if not any(text.strip() for text in said):
        # Nobody spoke, so no share of words can be wrong.
        return float("nan"), float("nan")
    words = jiwer.process_words(list(said), list(heard))
    return float(words.wer), float(jiwer.process_characters(list(said), list(heard)).cer)


def error_report(heard: Sequence[str], said: Sequence[str], speakers: Sequence[str]) -> list[Plot]:
    """Tables: the errors of each speaker, the commonest errors, the worst recordings."""
    import jiwer

    plots: list[Plot] = []
    if any(speakers):
        plots.append(_by_speaker(heard, said, speakers))
    found = jiwer.process_words(list(said), list(heard)) if any(text.strip() for text in said) else None
    if found is None:
        return plots
    counts: Counter[tuple[str, str]] = Counter()
    worst = []
    for right, guess, chunks in zip(found.references, found.hypotheses, found.alignments, strict=True):
        wrong = 0
        for chunk in chunks:
            if chunk.type == "equal":
                continue
            one = right[chunk.ref_start_idx : chunk.ref_end_idx] or [""] * (chunk.hyp_end_idx - chunk.hyp_start_idx)
            other = guess[chunk.hyp_start_idx : chunk.hyp_end_idx] or [""] * len(one)
            counts.update(zip(one, other, strict=True))
            wrong += len(one)
        if wrong:
            worst.append((wrong, " ".join(right), " ".join(guess)))
    if counts:
        plots.append(
            Table(
                title="What was taken for what",
                columns=("said", "heard", "times"),
                rows=[
                    (one or "(nothing)", other or "(nothing)", n) for (one, other), n in counts.most_common(MOST_SHOWN)
                ],
            )
        )
        worst.sort(key=lambda row: -row[0])
        plots.append(Table(title="The worst recordings", columns=("errors", "said", "heard"), rows=worst[:MOST_SHOWN]))
    return plots


def _by_speaker(heard: Sequence[str], said: Sequence[str], speakers: Sequence[str]) -> Table:
    rows = []
    for speaker in sorted(set(speakers)):
        own = [place for place, name in enumerate(speakers) if name == speaker]
        right = [said[place] for place in own]
        rows.append((speaker, sum(len(text.split()) for text in right), _rates([heard[p] for p in own], right)[0]))
    rows.sort(key=lambda row: -row[2])
    return Table(title="Errors a word of each speaker", columns=("speaker", "words", "word error rate"), rows=rows)
