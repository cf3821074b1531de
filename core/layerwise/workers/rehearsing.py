"""The process in which plugins are loaded for the first time: `python -m layerwise.workers.rehearsing [DESCRIPTOR]`.

It reads a line of JSON, {"path": sys.path, "names": [...]}, and loads these plugins one after another, as the process
that asks will do. For each it says, in lines of JSON, that it begins, and how it ended: {"ended": name, "harm": ...},
where the harm is what was not caught but seen: "" for none. What it does not survive ends it in the middle.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import threading
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from layerwise.paths import home
from layerwise.plugins.discovery import discover
from layerwise.plugins.loading import HangingError, Plugin, in_thread, load
from layerwise.workers.messages import LOST


def main(stacks: str = "") -> None:
    """Load the plugins that the parent names."""
    request = json.loads(sys.stdin.buffer.readline())
    answer = _take_output()
    if stacks:
        faulthandler.enable(int(stacks))
        faulthandler.register(signal.SIGUSR1, int(stacks))
    sys.path[:] = request["path"]
    names = set(request["names"])
    # Others may be those of a plugin before, which are closed when nobody refers to them any more.
    descriptors = {0, 1, 2, answer, *([int(stacks)] if stacks else [])}
    for point, plugin in discover(home()):
        name = plugin.report.name
        if name not in names:
            continue
        names.discard(name)
        _say(answer, began=name)
        before = _state(descriptors)
        harm = _harm(before, _add_commands(load(point, plugin)))
        _say(answer, ended=name, **harm)
        if harm["harm"]:
            break  # what comes after it would be blamed for it
    os._exit(0)  # whatever threads they have started


def _take_output() -> int:
    answer, nowhere = os.dup(1), os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    try:
        os.dup2(2, 1)  # what a plugin prints is no answer
    except OSError:  # the parent has no standard error
        os.dup2(nowhere, 1)
    os.close(nowhere)
    return answer


def _say(answer: int, **message: Any) -> None:
    try:
        os.write(answer, json.dumps(message).encode() + b"\n")
    except OSError:
        os._exit(LOST)  # a plugin has closed it


def _add_commands(plugin: Plugin) -> Plugin:
    """Let it add commands to a command line that nobody sees; an exception there is told when it counts."""
    if plugin.report.status == "loaded" and "layerwise_commands" in plugin.report.hooks and plugin.manager is not None:
        import typer

        call = partial(plugin.manager.hook.layerwise_commands, app=typer.Typer())
        try:
            in_thread(f"ask {plugin.report.name}", call)
        except HangingError as error:
            return plugin.off("quarantined", str(error), error.stack)
        except BaseException as error:
            print(f"layerwise_commands of {plugin.report.name} raised {error!r}", file=sys.stderr)
    return plugin


def _state(descriptors: Iterable[int]) -> tuple[dict[int, str], set[int], set[int]]:
    """What a plugin must leave as it is: files of ours, the threads that keep a process, and other processes."""
    return _open_files(descriptors), _threads(), _children()


def _harm(before: tuple[dict[int, str], set[int], set[int]], plugin: Plugin) -> dict[str, str]:
    report = plugin.report
    if report.status == "quarantined":  # it hangs, and where is known
        return {"harm": "did not finish loading in time", "stack": report.traceback}
    files, threads, children = before
    if _open_files(files) != files:
        return {"harm": "closed files of Layerwise's"}
    if _children() - children:
        return {"harm": "left a process running"}
    if _threads() - threads:
        return {"harm": "left a thread running that keeps a process from ending"}
    return {"harm": ""}


def _open_files(descriptors: Iterable[int]) -> dict[int, str]:
    """What each descriptor leads to, as far as the system tells; empty for one that is closed."""
    found = {}
    for number in descriptors:
        try:
            found[number] = str(Path(f"/proc/self/fd/{number}").readlink())
        except OSError:
            found[number] = ""
    return found


def _threads() -> set[int]:
    return {thread.ident or 0 for thread in threading.enumerate() if not thread.daemon}


def _children() -> set[int]:
    """The processes that this one has started and that are there, as far as the system tells."""
    found: set[int] = set()
    for path in Path("/proc/self/task").glob("*/children"):
        try:
            found |= {int(text) for text in path.read_text(encoding="ascii").split()}
        except OSError:
            continue  # its thread has ended
    return {child for child in found if not _is_helper(child)}


def _is_helper(pid: int) -> bool:
    """Whether a process is one that Python itself starts for what processes share, and that ends with this one."""
    try:
        return b"multiprocessing.resource_tracker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True  # it has just ended


if __name__ == "__main__":
    main(*sys.argv[1:])
