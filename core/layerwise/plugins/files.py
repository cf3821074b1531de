"""Plugins of one file: those in `LAYERWISE_HOME/plugins`, and those that LAYERWISE_PLUGINS names.

Such a file is a module as any plugin's, without a package around it. It is read anew when its content has changed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from layerwise.errors import InputError, PluginError

VARIABLE = "LAYERWISE_PLUGINS"
"""Files and folders separated as in PATH: plugins beside those that are installed."""
FOLDER = "plugins"
"""Below the home: the user's own."""


@dataclass(frozen=True, kw_only=True)
class PluginFile:
    """A file that is a plugin.

    Args:
        path: Absolute. The module has its stem as a name, so that "my_pets:build" finds a function of my_pets.py.
    """

    path: Path

    @property
    def name(self) -> str:
        """Of the plugin: "my-pets"."""
        return self.path.stem.replace("_", "-")

    def load(self) -> ModuleType:
        """The module, run anew if the file is not what it was.

        Raises:
            PluginError: There is no such file, or its name is not free.
            BaseException: Whatever the file raises.
        """
        name = self.path.stem
        former = sys.modules.get(name)
        self._check_name(former)
        try:
            source = self.path.read_bytes()
        except OSError as error:
            raise PluginError("Its file cannot be read", received=str(error)) from error
        digest = hashlib.sha256(source).hexdigest()
        if former is not None and vars(former).get("__layerwise_digest__") == digest:
            return former
        folder = str(self.path.parent)
        if folder not in sys.path:
            # At the end, so that it hides nothing: processes that a training starts import the module by its name.
            sys.path.append(folder)
        module = ModuleType(name)
        module.__file__ = str(self.path)
        vars(module)["__layerwise_digest__"] = digest
        sys.modules[name] = module
        try:
            # Not by the import system: its bytecode is taken for fresh within the second of a change.
            exec(compile(source, str(self.path), "exec"), vars(module))  # nosec B102 (a plugin is code)
        except BaseException:
            if former is None:
                del sys.modules[name]
            else:
                sys.modules[name] = former
            raise
        return module

    def _check_name(self, former: ModuleType | None) -> None:
        name = self.path.stem
        if not name.isidentifier():
            raise PluginError(
                f"{self.path.name} cannot be imported",
                expected="a name of letters, digits and underscores",
                remedy="rename the file",
            )
        if former is not None:
            place = getattr(former, "__file__", None)
        else:
            found = importlib.util.find_spec(name)
            place = str(self.path) if found is None else found.origin
        if place != str(self.path):
            raise PluginError(
                f"{self.path.name} is called like the module {name}, which is there already",
                received=str(place),
                remedy="rename the file",
            )


def plugin_files(home: Path) -> list[PluginFile]:
    """Those of the home and those that the variable names, in this order; of a folder the files by name, without
    hidden ones and those that begin with an underscore. A file that is named need not be there: it fails to load."""
    named = (Path(text).expanduser().absolute() for text in os.environ.get(VARIABLE, "").split(os.pathsep) if text)
    paths: dict[Path, None] = {}
    for place in (home.absolute() / FOLDER, *named):
        if place.suffix == ".py":
            paths[place] = None
        else:
            paths |= dict.fromkeys(path for path in sorted(place.glob("*.py")) if path.name[0] not in "._")
    return [PluginFile(path=path) for path in paths]


def use(files: Iterable[Path]) -> None:
    """Add files to those that the variable names, for this process and all that it starts.

    Raises:
        InputError: One is not there, or is no Python file.
    """
    paths = [path.expanduser().absolute() for path in files]
    for path in paths:
        if path.suffix != ".py" or not path.is_file():
            raise InputError(f"There is no plugin {path}", expected="a Python file, such as my_pets.py")
    former = [text for text in os.environ.get(VARIABLE, "").split(os.pathsep) if text]
    os.environ[VARIABLE] = os.pathsep.join(dict.fromkeys([*former, *map(str, paths)]))
