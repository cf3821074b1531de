"""What a published model is: its kind, its architecture and its task, from what its repository tells."""

from __future__ import annotations

import functools
import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.errors import WeightsError
from layerwise.specs import resolve
from layerwise_hub.kinds import KINDS, Kind, kind_of, kind_of_architecture
from layerwise_hub.repository import CARD, Repository, read_settings
from layerwise_hub.task_making import chat_template

if TYPE_CHECKING:
    from layerwise.tasks import Task

_LONGEST_ABOUT = 700


def recognise(repository: Repository, task: str | None = None) -> tuple[Kind, str, Task]:
    """The kind, the architecture and the task of a model.

    Args:
        repository: Where it is.
        task: The name of the kind, where it is known better than its settings tell.

    Raises:
        NotFoundError: There is no such kind.
        WeightsError: It is of a kind that is not shown here, needs code of its own, or lacks a file.
    """
    wanted = kind_of(task) if task is not None else None
    config = read_settings(repository, "config.json")
    if not config:
        raise WeightsError(
            f"{repository.source} has no config.json", remedy="choose a model that transformers can load"
        )
    architecture = next(iter(config.get("architectures") or ()), "")
    _check_known(repository, config, architecture)
    kind = wanted or _kind(repository, architecture)
    missing = [names for names in kind.needs if not any(name in repository.files for name in names)]
    if missing:
        raise WeightsError(
            f"{repository.source} lacks a file",
            expected=" or ".join(missing[0]),
            remedy="choose a model that has it"
            + (": a tokenizer in another form is not read" if "tokenizer.json" in missing[0] else ""),
        )
    made: Task = resolve(kind.make_task)(config, repository)
    return kind, architecture, made


def _kind(repository: Repository, architecture: str) -> Kind:
    if "modules.json" in repository.files:
        return KINDS["embedding"]
    kind = kind_of_architecture(architecture)
    if kind is not None and kind.name == "text-generation" and chat_template(repository):
        return KINDS["dialogue"]
    if kind is None:
        # Of encoders the hub knows what they take where their architecture is none of those that are known here.
        encoders = (KINDS["image-embedding"], KINDS["embedding"])
        kind = next((item for item in encoders if any(tag in item.tags for tag in repository.tags)), None)
    if kind is None:
        titles = ", ".join(item.title.lower() for item in KINDS.values())
        raise WeightsError(
            f"No task here shows what {repository.source} does",
            expected=titles,
            received=architecture or "a config.json that names no architecture",
            remedy=f"say what it is for, if that is one of them: --task {'|'.join(KINDS)}",
        )
    return kind


def _check_known(repository: Repository, config: Mapping[str, Any], architecture: str) -> None:
    known = known_architectures()
    if not known or not architecture or architecture in known:
        return
    if config.get("auto_map"):
        code = str(next(iter(config["auto_map"].values()))).partition(".")[0]
        raise WeightsError(
            f"{repository.source} needs code of its own, which is never run here",
            received=f"{code}.py",
            remedy="choose a model whose architecture transformers has",
        )
    raise WeightsError(
        f"This release of transformers does not know the architecture of {repository.source}",
        received=architecture,
        remedy="pip install --upgrade transformers",
    )


@functools.cache
def known_architectures() -> frozenset[str]:
    """The names of the architectures that transformers has, read from its source: importing it would cost a server
    50 MB and seconds, and looking an architecture up would import torch. Empty where they cannot be read."""
    spec = importlib.util.find_spec("transformers")
    if spec is None or spec.origin is None:
        return frozenset()
    try:
        text = (Path(spec.origin).parent / "models" / "auto" / "modeling_auto.py").read_text(encoding="utf-8")
    except OSError:
        return frozenset()
    return frozenset(re.findall(r'"([A-Z]\w+)"', text))


def licence_of(repository: Repository) -> str:
    """The licence that the card tells, empty where it tells none."""
    header = _header(repository.read(CARD) or "")
    found = re.search(r"^license:\s*[\"']?([\w.+-]+)", header, re.MULTILINE)
    if found is None:
        tags = [tag.removeprefix("license:") for tag in repository.tags if tag.startswith("license:")]
        return tags[0] if tags else ""
    other = re.search(r"^license_name:\s*[\"']?([\w.+-]+)", header, re.MULTILINE)
    return other[1] if other is not None and found[1] == "other" else found[1]


def about(repository: Repository) -> str:
    """What the card says at its beginning, without markup, pictures and addresses: a stranger's text."""
    text = repository.read(CARD) or ""
    text = text[len(_header(text)) :]
    for pattern in (r"```.*?```", r"<!--.*?-->", r"!\[[^\]]*\]\([^)]*\)", r"<[^>]*>"):
        text = re.sub(pattern, "", text, flags=re.DOTALL)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text)]
    kept = [re.sub(r"[*_`]", "", part) for part in paragraphs if len(part) > 40 and not part.startswith(("#", "|"))]
    joined = " ".join(kept)
    if len(joined) <= _LONGEST_ABOUT:
        return joined
    return joined[:_LONGEST_ABOUT].rsplit(" ", 1)[0] + " …"


def _header(card: str) -> str:
    match = re.match(r"---\s*\n.*?\n---\s*(\n|$)", card, re.DOTALL)
    return match[0] if match else ""
