"""Published weights as a version of a model: from a folder, a `.gguf` file, or the hub of Hugging Face."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.errors import WeightsError
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
    "model.safetensors",
    "model-*-of-*.safetensors",
    "model.safetensors.index.json",
)
"""The files of a repository that are downloaded: data, and no code."""
_ID = re.compile(r"[\w.-]+/[\w.-]+")
Progress = Callable[[str, int, int], None]


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
    published = read_published(path if path.exists() else download(source, progress))
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


def download(repository: str, progress: Progress) -> Path:
    """The folder of a repository at the hub, in the cache that other programs use too. What is there already is not
    downloaded again, and what was cut off goes on.

    Raises:
        WeightsError: It cannot be had.
    """
    from huggingface_hub import HfApi, hf_hub_download, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    if not _ID.fullmatch(repository):
        raise WeightsError(
            f"There are no published weights {repository!r}",
            expected="a folder, a .gguf file, or the id of a repository, such as HuggingFaceTB/SmolLM2-135M-Instruct",
        )
    try:
        found = HfApi().model_info(repository, files_metadata=True)
    except (HfHubHTTPError, HFValidationError) as error:
        raise WeightsError(
            f"The hub does not give {repository}",
            received=str(error).splitlines()[0],
            remedy="look at its page there: it may be called otherwise, or ask for a licence to be accepted",
        ) from error
    except Exception as error:  # whatever a missing network makes of it
        try:
            return Path(snapshot_download(repository, allow_patterns=[*NEEDED], local_files_only=True))
        except LocalEntryNotFoundError:
            raise WeightsError(
                f"{repository} is not on this machine, and the hub cannot be reached",
                received=f"{type(error).__name__}: {error}",
                remedy="try again with a connection to the internet, or name a folder or a .gguf file",
            ) from error
    wanted = [file for file in found.siblings or [] if any(fnmatch(file.rfilename, name) for name in NEEDED)]
    folder = Path()
    for file in wanted:
        bar = _bar_of(file.rfilename, file.size or 0, progress)
        try:
            path = hf_hub_download(repository, file.rfilename, tqdm_class=bar)
        except Exception as error:  # its own, those of HTTP, those of the disk
            raise WeightsError(
                f"{file.rfilename} of {repository} could not be downloaded",
                received=f"{type(error).__name__}: {error}",
                remedy="try again: what has arrived is kept",
            ) from error
        folder = Path(path).parent
    if not wanted:
        raise WeightsError(f"{repository} has no files of weights", expected=", ".join(NEEDED[:1] + NEEDED[5:6]))
    return folder


def _bar_of(name: str, size: int, progress: Progress) -> Any:
    """A progress bar as the hub's library wants one, which draws nothing and tells how much of a file is here."""
    from huggingface_hub.utils import tqdm

    class Bar(tqdm):
        def display(self, *_: Any, **__: Any) -> None:
            pass

        def update(self, n: float | None = 1) -> bool | None:
            shown = super().update(n)
            progress(name, int(self.n), int(self.total or size))
            return shown

    return Bar
