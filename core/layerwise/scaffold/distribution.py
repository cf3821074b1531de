"""The files of a new plugin, and writing them all or none."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import layerwise
from layerwise.errors import InputError, NotFoundError
from layerwise.hookspecs import ENTRY_POINT_GROUP, HOOKSPEC_VERSION
from layerwise.paths import is_new_or_empty, written_whole
from layerwise.plugins.contributions import stock_tasks
from layerwise.scaffold.names import check_free, check_name

if TYPE_CHECKING:
    from layerwise.snapshot import Snapshot

TEMPLATES = Path(__file__).parent / "templates"
DEFAULT_TASK = "image-classification"

FILES = {
    "pyproject.toml": "pyproject.toml.j2",
    "README.md": "README.md.j2",
    ".gitignore": "gitignore.j2",
    ".github/workflows/test.yml": "test.yml.j2",
    "{module}/__init__.py": "hooks.py.j2",
    "{module}/model.py": "tasks/{task}/model.py.j2",
    "tests/test_{module}.py": "tests.py.j2",
}
"""Each file of a plugin, and the template that it is made of. The templates end differently so that no tool takes them
for what they make."""


@dataclass(frozen=True, kw_only=True)
class NewPlugin:
    """A plugin that is to be written.

    Args:
        name: What users type: "bird-songs", of the distribution, the plugin and the data set.
        task: The name of its task type, one of `tasks()`.

    Raises:
        InputError: The name is not usable.
        NotFoundError: There is no template for the task.
    """

    name: str
    task: str = DEFAULT_TASK

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.task not in tasks():
            raise NotFoundError(
                f"No plugin can be begun with the task {self.task!r}", remedy=f"choose one of {', '.join(tasks())}"
            )

    @property
    def module(self) -> str:
        """The name of its package."""
        return self.name.replace("-", "_")

    @property
    def facts(self) -> dict[str, Any]:
        """What the templates are told of its task."""
        return tomllib.loads((TEMPLATES / "tasks" / self.task / "facts.toml").read_text(encoding="utf-8"))

    @property
    def model(self) -> str:
        """The name of its model, on the page where those of its kind are."""
        return f"{self.facts['domain']}/{self.name}"

    @property
    def commands(self) -> tuple[str, ...]:
        """What its author does next, in its folder."""
        return (
            'pip install -e ".[dev]"',
            "pytest",
            f"layerwise train {self.model} --promote",
            "layerwise serve",
        )


def tasks() -> tuple[str, ...]:
    """The tasks for which there are templates, the default one first."""
    names = sorted(folder.name for folder in (TEMPLATES / "tasks").iterdir() if (folder / "facts.toml").is_file())
    return tuple(sorted(names, key=lambda name: name != DEFAULT_TASK))


def rendered(plugin: NewPlugin) -> dict[str, str]:
    """The contents of its files by their paths below its folder."""
    # Imported here: only whoever writes a plugin needs it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(  # nosec B701 (it writes Python, not HTML)
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    values = {
        **plugin.facts,
        "name": plugin.name,
        "title": plugin.name.replace("-", " ").capitalize(),
        "module": plugin.module,
        "model": plugin.model,
        "task": plugin.task,
        "folder_format": stock_tasks()[plugin.task].folder_format.strip(),
        "commands": plugin.commands,
        "group": ENTRY_POINT_GROUP,
        "hooks": HOOKSPEC_VERSION,
        "layerwise": layerwise.__version__,
    }
    names = {"module": plugin.module, "task": plugin.task}
    return {
        path.format(**names): environment.get_template(template.format(**names)).render(values)
        for path, template in FILES.items()
    }


def create(plugin: NewPlugin, folder: Path, snapshot: Snapshot) -> Path:
    """Write a plugin into a folder, which is not there yet or empty; all of it or nothing.

    Args:
        folder: Where it goes.
        snapshot: What is registered, which it must not clash with.

    Returns:
        The folder, absolute.

    Raises:
        InputError: The folder is there and holds something, or cannot be written.
        PluginError: Its name is taken.
    """
    folder = folder.expanduser().absolute()
    if not is_new_or_empty(folder):
        raise InputError(
            f"{folder} is there already",
            expected="a folder that is not there yet, or an empty one",
            remedy="choose another one with --to FOLDER",
        )
    check_free(plugin.name, plugin.model, snapshot)
    files = rendered(plugin)
    try:
        with written_whole(folder) as temporary:
            for name, content in files.items():
                path = temporary / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written",
            received=error.strerror or str(error),
            remedy="name a folder that you may write to: --to FOLDER",
        ) from error
    return folder
