"""The process in which checks are made: `python -m layerwise.conformance.process SUBJECT FILE CHECK...`.

What comes of each is a line of JSON in FILE, written when it is known; before each there is one that says which begins.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO

from layerwise.conformance.registering import registration_checks
from layerwise.conformance.report import CheckResult
from layerwise.conformance.trial import CheckFailed, CheckSkipped, CheckWarned, Trial, sentence_of
from layerwise.conformance.watching import Watch
from layerwise.paths import cache, home
from layerwise.registry import Registry


def main(subject: str, file: str, names: list[str]) -> None:
    """Make checks of a plugin ("my-pets") or of a variant of a model ("vision/pets:default")."""
    watch = Watch([home(), cache(), Path(tempfile.gettempdir()), Path(os.environ["KERAS_HOME"])])
    with Path(file).open("a", encoding="utf-8") as lines:
        for name, function in _checks(subject, names):
            _write(lines, {"begins": name})
            _write(lines, {"result": asdict(_made(watch, subject, name, function))})


def _checks(subject: str, names: list[str]) -> list[tuple[str, Callable[[], str]]]:
    if "/" not in subject:
        known = registration_checks(subject)
        return [(name, known[name]) for name in names]
    from layerwise.conformance.checks import made

    name, _, variant = subject.partition(":")
    snapshot = Registry().snapshot()
    spec = snapshot.model(name)
    return list(made(Trial(snapshot, spec, spec.variant(variant), home()), names))


def _made(watch: Watch, subject: str, name: str, function: Callable[[], str]) -> CheckResult:
    watch.begin()
    begin = time.perf_counter()
    try:
        status, detail = "passed", function()
    except CheckSkipped as error:
        status, detail = "skipped", str(error)
    except CheckWarned as error:
        status, detail = "warned", str(error)
    except (Exception, SystemExit) as error:
        status, detail = "failed", sentence_of(error)
        if not isinstance(error, CheckFailed):
            print(f"{subject}: {name}", file=sys.stderr)
            sys.excepthook(type(error), error, error.__traceback__)
    if seen := watch.seen:
        status, detail = "failed", " ".join(filter(None, (detail if status == "failed" else "", seen)))
    return CheckResult(
        check=name, subject=subject, status=status, detail=detail, seconds=round(time.perf_counter() - begin, 2)
    )


def _write(lines: IO[str], value: object) -> None:
    lines.write(json.dumps(value) + "\n")
    lines.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
