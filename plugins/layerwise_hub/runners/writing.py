"""Published models that write token by token, in the same way as those that are trained here: temperature, top k,
streaming and stop are Layerwise's own (`layerwise.text.generation`), the network is transformers'."""

from __future__ import annotations

import dataclasses
import inspect
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.errors import InputError
from layerwise.from_scratch.losses import log_softmax
from layerwise.published import read_json
from layerwise.runner import Batch
from layerwise.tasks import Dialogue, TextGeneration
from layerwise.tasks.base import Answer
from layerwise.tasks.generation import Prompt
from layerwise.text.generation import Decode, Generated, generate, room_for
from layerwise.text.text_file import TextFile
from layerwise.text.tokenization import FILE
from layerwise_hub.repository import Folder
from layerwise_hub.runners.base import TorchRunner
from layerwise_hub.task_making import chat_template, context_of

if TYPE_CHECKING:
    from layerwise_hub.manifest import Entry


class TorchReader:
    """A `layerwise.text.generation.Reader`: what a network of transformers has read is kept in its cache of keys and
    values.

    Args:
        runner: Whose network it is.
    """

    def __init__(self, runner: WritingRunner) -> None:
        self._runner, self._cache = runner, None

    def read(self, tokens: Sequence[int], cancelled: threading.Event | None = None) -> np.ndarray | None:
        """See `Reader.read`."""
        self._cache = None
        return self.extend(tokens, cancelled)

    def extend(self, tokens: Sequence[int], cancelled: threading.Event | None = None) -> np.ndarray | None:
        """See `Reader.extend`."""
        import torch

        if cancelled is not None and cancelled.is_set():
            return None
        runner = self._runner
        with runner.computing():
            row = torch.tensor([list(tokens)], device=runner.device)
            kept = {runner.cache_name: self._cache}
            found = runner.network(input_ids=row, use_cache=True, **kept, **runner.only_last)
        self._cache = getattr(found, runner.cache_name)
        return found.logits[0, -1].float().cpu().numpy()


class WritingRunner(TorchRunner):
    """What those have in common that write."""

    auto = "AutoModelForCausalLM"

    def __init__(self, entry: Entry, folder: Path, task: Any) -> None:
        super().__init__(entry, folder, task)
        self.tokenizer = self.load("AutoTokenizer")
        self.context = context_of(self.network.config.to_dict())
        self.stop_tokens = self._stop_tokens()
        takes = inspect.signature(self.network.forward).parameters
        self.only_last = {"logits_to_keep": 1} if "logits_to_keep" in takes else {}
        # What it was called before transformers 5.24.
        self.cache_name = "cache" if "cache" in takes else "past_key_values"

    def _stop_tokens(self) -> tuple[int, ...]:
        ends = self.network.generation_config.eos_token_id
        ends = self.tokenizer.eos_token_id if ends is None else ends
        return tuple(ends) if isinstance(ends, list | tuple) else () if ends is None else (int(ends),)

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, without special ones."""
        return self.tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False)

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Iterator[Answer]:
        most = self.task.most_of(inputs)
        sampling = self.task.sampling_of(inputs)
        prompt = self.prompt_of(inputs, room_for(most, self.context))
        decode: Decode = self.decode

        def answers() -> Iterator[Answer]:
            for state in generate(
                TorchReader(self),
                prompt.tokens,
                decode,
                sampling=sampling,
                most=most,
                context=self.context,
                stop_tokens=self.stop_tokens,
                cancelled=cancelled,
            ):
                yield self.answer_of(prompt, state)

        return answers()

    def prompt_of(self, inputs: Mapping[str, Any], room: int) -> Prompt:
        """What is gone on from."""
        return self.task.prompt_of(inputs, room)

    def answer_of(self, prompt: Prompt, generated: Generated) -> Answer:
        """What is answered when so much was written."""
        return self.task.answer_of(prompt, generated)


class Writer(WritingRunner):
    """What follows the beginning of a text."""

    task: TextGeneration

    def prompt_of(self, inputs: Mapping[str, Any], room: int) -> Prompt:
        text = inputs.get("text")
        if not isinstance(text, str):
            raise InputError("There is no text", expected="how it begins", received=repr(text)[:40])
        tokens = self.tokenizer(text).input_ids
        if not tokens:
            start = self.network.config.bos_token_id
            tokens = [self.stop_tokens[0] if start is None and self.stop_tokens else start or 0]
        if len(tokens) <= room:
            return Prompt(tokens=tokens, text=text)
        note = f"The text is too long for the network: only its last {room:,} tokens were read."
        return Prompt(tokens=tokens[-room:], text=text, note=note)

    def outputs(self, batch: Batch) -> Any:
        """How well the network foretells texts [examples]: for each, float64 [examples], the "nats" that all its tokens
        but the first cost, and how many "tokens", "hits" and "characters" there are. A text that is longer than the
        context is measured in parts."""
        import torch

        texts = [str(text) for text in batch]
        found = {name: np.zeros(len(texts)) for name in ("nats", "tokens", "hits", "characters")}
        for place, text in enumerate(texts):
            found["characters"][place] = self.task.characters_of(text)
            tokens = self.tokenizer(text).input_ids
            for start in range(0, len(tokens) - 1, self.context - 1):
                part = tokens[start : start + self.context]
                with self.computing():
                    row = torch.tensor([part], device=self.device)
                    logits = self.network(input_ids=row).logits[0, :-1].float().cpu().numpy()
                targets = np.array(part[1:])
                found["nats"][place] -= log_softmax(logits)[np.arange(len(targets)), targets].sum()
                found["tokens"][place] += len(targets)
                found["hits"][place] += (logits.argmax(axis=-1) == targets).sum()
        return found


class Talker(WritingRunner):
    """A reply to a message, in the way that the model was taught: its chat template is rendered in a sandbox."""

    task: Dialogue

    def __init__(self, entry: Entry, folder: Path, task: Any) -> None:
        super().__init__(entry, folder, task)
        path = folder / FILE
        told = read_json(folder / "tokenizer_config.json") if (folder / "tokenizer_config.json").is_file() else {}
        self.task = dataclasses.replace(
            self.task,
            tokenizer=TextFile(FILE, path.read_text(encoding="utf-8")),
            chat_template=chat_template(Folder(folder)),
            stop_tokens=self.stop_tokens,
            bos_token=_special(told, "bos_token"),
            eos_token=_special(told, "eos_token"),
        )


def _special(told: Mapping[str, Any], name: str) -> str:
    found = told.get(name) or ""
    return str(found.get("content", "") if isinstance(found, Mapping) else found)
