"""Published weights as a version of a model: from a folder, a `.gguf` file, or the hub of Hugging Face."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.errors import WeightsError
from layerwise.hub import WEIGHTS, Progress, download
from layerwise.tasks import Dialogue

if TYPE_CHECKING:
    from layerwise.fetching import Fetched
    from layerwise_language.llama import LlamaConfig
    from layerwise_language.llama.shape import LlamaShape

NEEDED = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    *WEIGHTS,
)
"""The files of a repository that are downloaded: data, and no code."""
EXPECTED = "a folder, a .gguf file, or the id of a repository, such as HuggingFaceTB/SmolLM2-135M-Instruct"


def fetch(source: str, task: Dialogue, config: LlamaConfig, progress: Progress) -> Fetched:
    """A published network that was taught to talk.

    Args:
        source: A folder, a `.gguf` file, or the id of a repository at the hub.
        task: The task of the model.
        config: Its settings are taken from the published network where they say what it is made of.
        progress: `(file, bytes that are here, its size)`.

    Raises:
        WeightsError: It cannot be had, is of another architecture, or was not taught to talk.
    """
    from layerwise.devices import quiet_import
    from layerwise.fetching import Fetched

    quiet_import()
    from layerwise_language.llama.network import Llama
    from layerwise_language.llama.published import load_published, read_published

    path = Path(source).expanduser()
    published = read_published(path if path.exists() else download(source, NEEDED, progress, expected=EXPECTED))
    if not published.chat_template:
        raise WeightsError(
            f"The network in {source} was not taught to talk",
            expected="one with a chat template",
            remedy='choose another: the names of those that talk mostly end with "Instruct" or "Chat"',
        )
    llama = Llama(published.shape, is_blank=True)
    load_published(llama, published)
    shape = published.shape
    task = replace(
        task,
        tokenizer=published.tokenizer,
        vocabulary=shape.vocab_size,
        chat_template=published.chat_template,
        stop_tokens=published.stop_tokens,
        bos_token=published.bos_token,
        eos_token=published.eos_token,
        is_both=False,
    )
    return Fetched(model=llama.whole(), task=task, config=_config_for(shape, config))


def _config_for(shape: LlamaShape, config: LlamaConfig) -> LlamaConfig:
    from layerwise_language.llama import SHARED

    return replace(config, context=shape.max_position_embeddings, **{name: getattr(shape, name) for name in SHARED})
