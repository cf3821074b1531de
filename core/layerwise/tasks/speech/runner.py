"""What answers for a network that hears a symbol in each frame: sounds of any length in parts, also while they last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.devices import quiet_import
from layerwise.from_scratch.losses import log_softmax
from layerwise.runner import Batch, Runner
from layerwise.specs import resolve
from layerwise.tasks.base import Answer
from layerwise.tasks.ctc_speech_recognition import CtcSpeechRecognition
from layerwise.tasks.speech.ctc import Spike, aligned, beam_search, greedy
from layerwise.tasks.speech.drawing import lattice
from layerwise.tasks.speech.timing import spoken
from layerwise.tasks.speech.words import UNKNOWN, Word
from layerwise.weights import load_into

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec
    from layerwise.versions import Version

WINDOWS = (1.0, 2.0, 4.0, 8.0)
"""Seconds that the network is given at a time: few lengths, since each is compiled."""
LARGEST_WINDOW = WINDOWS[-1]
LONGEST_LOOK = 3.5
"""Seconds that parts of a sound overlap by at most, where a network looks at all that it is given."""
PROBES, LEAST_CHANGE = 3, 1e-6
"""How often a part of a sound is changed to see which frames look at it, and the change of their logits that counts, as
a share of the greatest."""
MOST_SESSIONS = 64
"""How many visitors may speak at a time, and be heard from where they were."""
MOST_DRAWN = 120.0
"""Seconds up to which what was heard in each moment is drawn."""
MOST_SEARCHED = 120.0
"""Seconds up to which other ways of hearing are searched."""


class SpeechRunner(Runner):
    """Hears what is said.

    Args:
        version: The weights, with the task's parameters and the config.
        spec: The model, which builds the network.

    Raises:
        WeightsError: The weights are corrupted or of another architecture.
    """

    def __init__(self, version: Version, spec: ModelSpec) -> None:
        quiet_import()
        from layerwise import engines

        task = version.task
        assert isinstance(task, CtcSpeechRecognition)
        self.task = task
        self.model = resolve(spec.build)(version.config, task)
        load_into(self.model, version.folder)
        self._forward = engines.current().compile_predict(self.model)
        self._sizes = _sizes_of(task, self._forward)
        self._sessions: OrderedDict[str, tuple[np.ndarray, Listener]] = OrderedDict()
        self._lock = threading.Lock()

    def listener(self) -> Listener:
        """What hears one sound, from its beginning."""
        return Listener(self.task, self._forward, self._sizes)

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Iterator[Answer]:
        waveform = self.task.waveform(inputs)
        listener = self._of_session(session, waveform)
        for _ in listener.hear(waveform[listener.count :]):
            if cancelled.is_set():
                return
            yield {"text": self.task.text_of([spike.symbol for spike in self._sure(greedy(listener.logits))])}
        self._keep(session, waveform, listener)
        yield self._answer(waveform, listener.whole(), inputs.get("search") or "greedy")

    def outputs(self, batch: Batch) -> Any:
        """What is heard in sounds.

        Args:
            batch: "audio", waveforms at the task's rate, objects [sounds]; anything else is passed on.

        Returns:
            The same with "text", objects [sounds], in place of "audio".
        """
        texts = []
        for waveform in batch["audio"]:
            listener = self.listener()
            for _ in listener.hear(waveform):
                pass
            texts.append(self.task.text_of([spike.symbol for spike in self._sure(greedy(listener.whole()))]))
        return {**{name: part for name, part in batch.items() if name != "audio"}, "text": np.array(texts, object)}

    def warm(self) -> None:
        for size in self._sizes.windows:
            self._forward(np.zeros([1, size], "float32"))

    def end_session(self, session: str) -> None:
        with self._lock:
            self._sessions.pop(session, None)

    def _of_session(self, session: str | None, waveform: np.ndarray) -> Listener:
        """What has heard the beginning of this sound in this session already, or what has heard nothing."""
        if session is not None:
            with self._lock:
                before, listener = self._sessions.pop(session, (None, None))
            if before is not None and listener is not None and listener.has_heard(before, waveform):
                return listener
        return self.listener()

    def _keep(self, session: str | None, waveform: np.ndarray, listener: Listener) -> None:
        if session is None:
            return
        with self._lock:
            self._sessions[session] = (waveform, listener)
            while len(self._sessions) > MOST_SESSIONS:
                self._sessions.popitem(last=False)

    def _sure(self, spikes: Sequence[Spike]) -> list[Spike]:
        """What was heard, where the network was not sure as an unknown word."""
        if UNKNOWN not in self.task.symbols:
            return list(spikes)
        unknown = self.task.symbols.index(UNKNOWN) + 1
        return [
            spike
            if spike.confidence >= self.task.least
            else Spike(unknown, spike.first, spike.last, 1.0 - spike.confidence)
            for spike in spikes
        ]

    def _answer(self, waveform: np.ndarray, logits: np.ndarray, search: str) -> Answer:
        seconds = len(waveform) / self.task.rate
        note = ""
        if search == "beam" and seconds <= MOST_SEARCHED:
            spikes = aligned(logits, beam_search(logits)[0][0])
        else:
            spikes = greedy(logits)
            if search == "beam":
                note = (
                    f"Beams are searched in sounds of up to {MOST_SEARCHED:.0f} seconds; this one was heard greedily."
                )
        frame = self._sizes.frame / self.task.rate
        spikes = self._sure(spikes)
        words = self._words(spikes, frame, waveform)
        text = self.task.text_of([spike.symbol for spike in spikes])
        answer = self.task.answer(waveform, words, text=text, note=note)
        probabilities = np.exp(log_softmax(logits))
        drawn = [lattice(probabilities, self.task.output_names, seconds)] if seconds <= MOST_DRAWN else []
        return {**answer, "lattice": drawn}

    def _words(self, spikes: Sequence[Spike], frame: float, waveform: np.ndarray) -> list[Word]:
        """Symbols as words with the times of their sound; characters up to a space are one.

        Args:
            frame: Seconds of a frame.
        """
        groups: list[list[Spike]] = []
        is_open = False
        for spike in spikes:
            is_space = self.task.unit == "character" and self.task.symbols[spike.symbol - 1] == " "
            if not is_space:
                if is_open and self.task.unit == "character":
                    groups[-1].append(spike)
                else:
                    groups.append([spike])
            is_open = not is_space
        said = [(group[0].first * frame, (group[-1].last + 1) * frame) for group in groups]
        return [
            Word(
                text=self.task.text_of([spike.symbol for spike in group]),
                start=start,
                end=end,
                confidence=float(min(spike.confidence for spike in group)),
            )
            for group, (start, end) in zip(groups, spoken(said, waveform, self.task.rate), strict=True)
        ]


class _Sizes:
    """Lengths in samples.

    Args:
        frame: Of a frame.
        before, after: What the network looks at before and after a frame, whole frames.
        windows: Of the parts that it is given, rising.
    """

    def __init__(self, frame: int, before: int, after: int, windows: Sequence[int]) -> None:
        self.frame, self.before, self.after, self.windows = frame, before, after, tuple(windows)


def _sizes_of(task: CtcSpeechRecognition, forward: Callable[[Any], Any]) -> _Sizes:
    """Found from the network itself: how many samples a frame has, and which frames change with a part of a sound."""
    samples = round(LARGEST_WINDOW * task.rate)
    random = np.random.default_rng(0)
    sound = random.normal(0, 0.1, [1, samples]).astype("float32")
    usual = np.asarray(forward(sound))[0]
    frame = max(1, samples // len(usual))
    middle = len(usual) // 2
    reached = np.zeros(len(usual), bool)
    for _ in range(PROBES):
        other = sound.copy()
        other[0, middle * frame : (middle + 1) * frame] = random.normal(0, 0.5, frame)
        difference = np.abs(np.asarray(forward(other))[0] - usual).max(axis=1)
        reached |= difference > LEAST_CHANGE * max(1.0, float(np.abs(usual).max()))
    places = [*np.flatnonzero(reached).tolist(), middle]
    most = round(LONGEST_LOOK * task.rate) // frame
    before, after = (min(count, most) * frame for count in (max(places) - middle, middle - min(places)))
    windows = [-(-round(seconds * task.rate) // frame) * frame for seconds in WINDOWS]
    return _Sizes(frame, before, after, windows)


class Listener:
    """Hears one sound piece by piece. Whatever the pieces are, the same is heard: each frame is computed once, when
    all is there that the network looks at for it.

    Args:
        task: The task.
        forward: The network: float32 [1, samples] to logits [1, frames, symbols + 1].
        sizes: Of its parts.
    """

    def __init__(self, task: CtcSpeechRecognition, forward: Callable[[Any], Any], sizes: _Sizes) -> None:
        self._task, self._forward, self._sizes = task, forward, sizes
        # Of what came, only what is looked at again is kept.
        self._kept, self._start = np.zeros(0, "float32"), 0
        self._parts: list[np.ndarray] = []
        self._num_frames = 0

    @property
    def count(self) -> int:
        """How many samples have come."""
        return self._start + len(self._kept)

    @property
    def logits(self) -> np.ndarray:
        """Of the frames that are certain, [frames, symbols + 1]."""
        if not self._parts:
            return np.zeros([0, len(self._task.symbols) + 1], "float32")
        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts)]
        return self._parts[0]

    def hear(self, samples: np.ndarray) -> Iterator[None]:
        """Go on with what comes next, float32 [samples]; a step for each part whose frames became certain."""
        self._kept = np.concatenate([self._kept, samples])
        sizes = self._sizes
        while True:
            first = self._num_frames * sizes.frame
            begin = max(0, first - sizes.before)
            fitting = [size for size in sizes.windows if begin + size <= self.count]
            # A window has to reach further than what is only looked at.
            if not fitting or begin + fitting[-1] - sizes.after <= first:
                return
            window = fitting[-1]
            self._add(self._compute(begin, window), begin, begin + window - sizes.after)
            self._forget()
            yield

    def whole(self) -> np.ndarray:
        """The logits of all frames, [frames, symbols + 1], as if nothing came any more. What comes may still go on."""
        sizes = self._sizes
        parts, first = [self.logits], self._num_frames * sizes.frame
        while first < self.count:
            begin = max(0, first - sizes.before)
            # The network is always given silence after the end, and never the end itself.
            rest = self.count - begin + sizes.after
            window = next((size for size in sizes.windows if size >= rest), sizes.windows[-1])
            stop = self.count if window >= rest else begin + window - sizes.after
            found = self._compute(begin, window)
            parts.append(found[(first - begin) // sizes.frame : -(-(stop - begin) // sizes.frame)])
            first = begin + -(-(stop - begin) // sizes.frame) * sizes.frame
        return np.concatenate(parts)

    def has_heard(self, before: np.ndarray, waveform: np.ndarray) -> bool:
        """Whether a sound begins like one that was heard; its last moments may differ, where it was cut when its rate
        was changed."""
        same = min(self.count, len(before)) - self._sizes.after
        return len(waveform) >= self.count and same > 0 and np.allclose(before[:same], waveform[:same], atol=1e-3)

    def _compute(self, begin: int, window: int) -> np.ndarray:
        """Logits of a part of the sound, silence after its end."""
        part = self._kept[begin - self._start : begin - self._start + window]
        return np.asarray(self._forward(np.pad(part, (0, window - len(part)))[None])[0])

    def _add(self, found: np.ndarray, begin: int, stop: int) -> None:
        frame = self._sizes.frame
        kept = found[self._num_frames - begin // frame : (stop - begin) // frame]
        self._parts.append(kept)
        self._num_frames += len(kept)

    def _forget(self) -> None:
        needed = max(0, self._num_frames * self._sizes.frame - self._sizes.before)
        self._kept, self._start = self._kept[needed - self._start :], needed
