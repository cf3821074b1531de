"""Modules that are imported when something of them is used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any


class Later(ModuleType):
    """A stand-in for the module of that name, which is imported when something of it is used."""

    def __getattr__(self, name: str) -> Any:
        # Whoever looks through all modules, as `inspect` does for their files, does not use it.
        if name.startswith("__") and name != "__path__":
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


@contextmanager
def in_place_of(stand_ins: Mapping[str, ModuleType | None]) -> Iterator[None]:
    """Within this context modules that are not imported yet have these stand-ins; None says that there is no such
    module."""
    placed = {name: stand_in for name, stand_in in stand_ins.items() if name not in sys.modules}
    sys.modules.update(placed)  # pyright: ignore[reportArgumentType, reportCallIssue]
    try:
        yield
    finally:
        for name, stand_in in placed.items():
            if name in sys.modules and sys.modules[name] is stand_in:
                del sys.modules[name]
