"""Writing with published weights of the Llama family: Layerwise beside transformers and PyTorch, on the same tokens.

    pip install -e ".[hub]"
    python benchmarks/chat.py FOLDER

FOLDER holds a published network: config.json, *.safetensors and tokenizer.json. Both sides are loaded into one process
and write 64 tokens after each of 20 prompts in turn, the most probable ones, with float32 weights and their caches;
which of them is first changes from prompt to prompt. What is compared: the logits of all tokens of the prompts, the
texts, the tokens each second after the first one, the seconds to the first one, and the memory. The exit status says
whether the bars are met.
"""

from __future__ import annotations

import argparse
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

BARS = {"logits": 1e-3, "ratio": 1.0, "first": 1.5}
"""The largest difference of a logit, the least ratio of tokens each second, the most seconds to the first token."""
QUESTIONS = (
    "What is gravity?",
    "Write a poem about the sea.",
    "How do I bake bread?",
    "Name three large rivers and the countries that they flow through.",
    "Explain what a neural network is to a child of ten.",
    "What is the difference between a virus and a bacterium?",
    "Tell me a story about a fox and a crow.",
    "Why is the sky blue?",
    "Write a Python function that reverses a list.",
    "What should I see in Rome in two days?",
    "Give me five words that rhyme with light.",
    "How does a bicycle stay upright?",
    "Who was Marie Curie, and what did she discover?",
    "Summarise in one sentence: bees collect nectar from flowers, carry it to the hive and make honey of it.",
    "What is 12 plus 30? Explain each step.",
    "Write a polite letter to a neighbour who plays music at night.",
    "What is photosynthesis?",
    "Translate into French: good morning, my friend.",
    "Which planets have rings?",
    "How can I sleep better?",
)


@dataclass
class Side:
    """What one side did.

    Args:
        bytes_taken: By how much the process grew when it was loaded and wrote its first text.
    """

    bytes_taken: int = 0
    texts: list[list[int]] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    speeds: list[float] = field(default_factory=list)


class Ours:
    """Layerwise."""

    def __init__(self, folder: Path) -> None:
        quiet_import()
        from layerwise_language.llama.network import Llama
        from layerwise_language.llama.published import load_published, read_published

        published = read_published(folder)
        self.llama = Llama(published.shape, is_blank=True)
        load_published(self.llama, published)
        self._write = engines.current().compile_predict(self.llama.writer())

    def write(self, prompt: list[int], most: int, side: Side) -> None:
        from layerwise.text.generation import Sampling, generate
        from layerwise_language.llama.cache import KeyValueCache

        begin = time.perf_counter()
        cache = KeyValueCache(self._write, self.llama.shape)
        moments, tokens = [], ()
        context = self.llama.shape.max_position_embeddings
        settings = {"sampling": Sampling(temperature=0), "most": most, "context": context}
        for state in generate(cache, prompt, lambda tokens: "." * len(tokens), **settings):
            tokens = state.tokens
            moments.append(time.perf_counter())
        record(side, list(tokens), begin, moments)

    def logits(self, prompts: list[list[int]]) -> list[np.ndarray]:
        """Of all tokens of each prompt. Filled up at the end, so that one shape is compiled."""
        length = max(map(len, prompts))
        forward = engines.current().compile_predict(self.llama.whole())
        rows = [np.array([prompt + [0] * (length - len(prompt))], "int32") for prompt in prompts]
        return [forward(row)[0, : len(prompt)] for row, prompt in zip(rows, prompts, strict=True)]

    def last_logits(self, prompt: list[int]) -> np.ndarray:
        """Of the last token, half of the prompt read before the other half."""
        from layerwise_language.llama.cache import KeyValueCache

        cache = KeyValueCache(self._write, self.llama.shape)
        cache.read(prompt[: len(prompt) // 2])
        logits = cache.read(prompt)
        assert logits is not None
        return logits


class Theirs:
    """transformers and PyTorch."""

    def __init__(self, folder: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM

        self.model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.model.generation_config.eos_token_id = None  # as many tokens as were asked for

    def write(self, prompt: list[int], most: int, side: Side) -> None:
        import torch
        from transformers.generation.streamers import BaseStreamer

        moments: list[float] = []

        class Clock(BaseStreamer):
            def put(self, value: Any) -> None:
                moments.append(time.perf_counter())

            def end(self) -> None:
                pass

        begin = time.perf_counter()
        given: Any = torch.tensor([prompt])
        with torch.inference_mode():
            found = self.model.generate(
                given,
                attention_mask=torch.ones_like(given),
                max_new_tokens=most,
                do_sample=False,
                streamer=Clock(),
                pad_token_id=0,
            )
        record(side, found[0, len(prompt) :].tolist(), begin, moments[1:])  # it is given the prompt first

    def logits(self, prompts: list[list[int]]) -> list[np.ndarray]:
        import torch

        with torch.inference_mode():
            return [self.model(torch.tensor([prompt])).logits[0].numpy() for prompt in prompts]


def record(side: Side, tokens: list[int], begin: float, moments: list[float]) -> None:
    """Note what was written, and how fast: a moment for each token."""
    assert len(moments) == len(tokens)
    side.texts.append(tokens)
    side.first.append(moments[0] - begin)
    side.speeds.append((len(tokens) - 1) / (moments[-1] - moments[0]))


def resident_bytes() -> int:
    """What this process has in memory, 0 where the system does not tell."""
    path = Path("/proc/self/statm")
    return int(path.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if path.is_file() else 0


def prompts_of(folder: Path) -> list[list[int]]:
    """The tokens of the prompts, written as the network was taught."""
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    return [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": question}], add_generation_prompt=True, return_dict=False
        )
        for question in QUESTIONS
    ]


def measure(folder: Path, most: int, num_prompts: int) -> dict[str, Any]:
    """All figures, by name."""
    quiet_import()  # so that the memory that is measured is without the frameworks; the next line imports the other one
    prompts = prompts_of(folder)[:num_prompts]
    sides, networks = {}, {}
    for name, kind in (("layerwise", Ours), ("transformers", Theirs)):
        former = resident_bytes()
        networks[name], sides[name] = kind(folder), Side()
        networks[name].write(prompts[0], 8, Side())
        sides[name].bytes_taken = resident_bytes() - former
    ours, theirs = networks["layerwise"], networks["transformers"]
    right = theirs.logits(prompts)
    whole = max(float(np.abs(a - b).max()) for a, b in zip(ours.logits(prompts), right, strict=True))
    cached = max(float(np.abs(ours.last_logits(p) - b[-1]).max()) for p, b in zip(prompts, right, strict=True))
    for number, prompt in enumerate(prompts):
        for name in list(networks)[:: 1 if number % 2 else -1]:
            networks[name].write(prompt, most, sides[name])
    speeds = {name: statistics.median(side.speeds) for name, side in sides.items()}
    pairs = zip(sides["layerwise"].speeds, sides["transformers"].speeds, strict=True)
    return {
        "largest difference of a logit": {"all tokens at once": whole, "with the cache": cached},
        "same texts": sum(a == b for a, b in zip(sides["layerwise"].texts, sides["transformers"].texts, strict=True)),
        "texts": len(prompts),
        "tokens each second": speeds,
        "ratio": statistics.median(ours / theirs for ours, theirs in pairs),
        "seconds to the first token": {name: statistics.median(side.first) for name, side in sides.items()},
        "bytes taken": {name: side.bytes_taken for name, side in sides.items()},
    }


def main() -> int:
    """Measure, print, and return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of the published network")
    parser.add_argument("--tokens", type=int, default=64, help="that are written after each prompt")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--prompts", type=int, default=len(QUESTIONS), help="how many of them")
    parser.add_argument("--threads", type=int, default=0, help="of each side; 0 for as many as each takes")
    options = parser.parse_args()
    if options.threads:  # read when the frameworks are imported
        os.environ |= dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"), str(options.threads))
    found = measure(options.folder, options.tokens, options.prompts)
    met = {
        "logits": max(found["largest difference of a logit"].values()) <= BARS["logits"],
        "texts": found["same texts"] == found["texts"],
        "ratio": found["ratio"] >= BARS["ratio"],
        "first": found["seconds to the first token"]["layerwise"] <= BARS["first"],
    }
    if options.json:
        print(json.dumps({**found, "bars": BARS, "met": met}, indent=2))
    else:
        show(found, met, options.tokens)
    return int(not all(met.values()))


def show(found: dict[str, Any], met: dict[str, bool], most: int) -> None:
    """Print the figures."""
    said = {name: "met" if is_met else "MISSED" for name, is_met in met.items()}
    whole, cached = found["largest difference of a logit"].values()
    print(f"Largest difference of a logit: {whole:.1e}, with the cache {cached:.1e}")
    print(f"  bar {BARS['logits']}: {said['logits']}")
    print(f"Same text of {most} tokens: {found['same texts']} of {found['texts']}  bar all: {said['texts']}")
    print(f"{'':30}{'layerwise':>12}{'transformers':>14}")
    for name, unit, digits, scale in (
        ("tokens each second", "", 1, 1),
        ("seconds to the first token", "", 2, 1),
        ("bytes taken", " in GB", 2, 1e-9),
    ):
        ours, theirs = (found[name][side] * scale for side in ("layerwise", "transformers"))
        print(f"{name + unit:30}{ours:12.{digits}f}{theirs:14.{digits}f}")
    print(f"Ratio of tokens each second, median of pairs: {found['ratio']:.2f}  bar {BARS['ratio']}: {said['ratio']}")
    print(f"Seconds to the first token: bar {BARS['first']}: {said['first']}")


if __name__ == "__main__":
    sys.exit(main())
