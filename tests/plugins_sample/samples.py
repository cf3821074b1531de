"""Third-party plugins of a few lines, written to a folder as installers would leave them: a module, and beside it a
`dist-info` with its entry point. On the path of a process they are real installed plugins.

    install(folder, BROKEN["import-error"])
"""

from __future__ import annotations

import textwrap
import tomllib
from pathlib import Path

_PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BUILT_IN = tuple(sorted(_PROJECT["entry-points"]["layerwise.plugins"]))
"""The names of the plugins that come with Layerwise, in the order in which they are loaded."""


def is_own(model: str) -> bool:
    """Whether a model is one of theirs: each registers its models in the domain of its name."""
    return model.partition("/")[0] in BUILT_IN


HEAD = """
from layerwise import ModelCard, ModelSpec, hookimpl
from layerwise.tasks import ImageClassification


def model(name, task=None, **values):
    task = task or ImageClassification(labels=("cat", "dog"), size=(8, 8))
    return ModelSpec(name=name, task=task, build="json:dumps", card=ModelCard(title="A", summary="A."), **values)

"""
"""What most samples begin with."""

HOOKS = ("models", "tasks", "datasets", "pages", "lessons", "callbacks", "commands")
ARGUMENTS = {"callbacks": "run", "commands": "app"}


def raising(hook: str) -> str:
    """A plugin that raises in one hook, and is right otherwise."""
    good = "" if hook == "models" else "@hookimpl\ndef layerwise_models():\n    return [model('sample/good')]\n\n"
    bad = (
        f"@hookimpl\ndef layerwise_{hook}({ARGUMENTS.get(hook, '')}):\n    raise RuntimeError('the {hook} are gone')\n"
    )
    return HEAD + good + bad


GOOD = HEAD + "@hookimpl\ndef layerwise_models():\n    return [model('sample/good')]\n"

BROKEN = {
    "import-error": "import a_module_that_is_not_installed",
    "syntax-error": "def layerwise_models(:\n    return []\n",
    "exits": "import sys\nsys.exit('bye')",
    "interrupts": "raise KeyboardInterrupt",
    "kills": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "ends": "import os\nos._exit(0)",
    "hangs": "import time\nwhile True:\n    time.sleep(0.05)",
    "newer": "LAYERWISE_HOOKS = 99\n" + GOOD,
    "misspelt": HEAD + "@hookimpl\ndef layerwise_modles():\n    return [model('sample/good')]\n",
    "wrong-signature": HEAD + "@hookimpl\ndef layerwise_callbacks(run, epoch):\n    return []\n",
    "unmarked": HEAD + "def layerwise_models():\n    return [model('sample/good')]\n",
    "no-hook": "answer = 42",
    "name-clash": HEAD + "@hookimpl\ndef layerwise_models():\n    return [model('vision/fashion')]\n",
    **{f"raises-in-{hook}": raising(hook) for hook in HOOKS},
}
"""Plugins with one fault each, by the name of their entry point."""


def install(
    folder: Path, code: str, *, name: str, module: str | None = None, version: str = "1.0", distribution: str = ""
) -> str:
    """Install a plugin into a folder, and return the name of its module.

    Args:
        folder: Made if it is missing. It has to be on the path of the process that is to see the plugin.
        code: The module.
        name: The name of the entry point.
        module: The name of the module; by default made from the name.
        version: Of the distribution.
        distribution: Its name; by default made from the name of the entry point.
    """
    module = module or f"sample_{name.replace('-', '_')}"
    distribution = distribution or f"{name}-plugin"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{module}.py").write_text(textwrap.dedent(code), encoding="utf-8")
    describe(folder, distribution, f"[layerwise.plugins]\n{name} = {module}\n", version=version)
    return module


def describe(folder: Path, distribution: str, entry_points: str | bytes, *, version: str = "1.0") -> Path:
    """Write the `dist-info` of a distribution, and return its path."""
    info = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    content = entry_points.encode() if isinstance(entry_points, str) else entry_points
    (info / "entry_points.txt").write_bytes(content)
    return info
