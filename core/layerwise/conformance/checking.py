"""The checks of a plugin, from outside: a process for each model, another one after each that dies, and for each
backend one more."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise import processes
from layerwise.conformance.checks import CHECKS, OUTPUTS_FILE
from layerwise.conformance.registering import REGISTRATION_CHECKS
from layerwise.conformance.report import CheckResult, ConformanceReport
from layerwise.engines import BACKENDS
from layerwise.hardware.environment import backend_name, package_version
from layerwise.plugins.files import VARIABLE, plugin_files
from layerwise.snapshot import named

if TYPE_CHECKING:
    from layerwise.registry import Registry, Snapshot

MODULE = "layerwise.conformance.process"
SECONDS = 300.0
"""For which one check may last."""
TITLES = dict(zip(BACKENDS, ("TensorFlow", "JAX", "PyTorch"), strict=True))
ENVIRONMENT = ("layerwise", "keras", "tensorflow", "jax", "torch", "numpy")
LAST_LINES = 3
"""Of what a process printed, when it died."""

Progress = Callable[[CheckResult], None]


def check_plugin(
    registry: Registry,
    name: str,
    *,
    models: Sequence[str] = (),
    all_variants: bool = False,
    seconds: float = SECONDS,
    progress: Progress = lambda result: None,
) -> ConformanceReport:
    """Try a plugin and all models that it registers.

    Args:
        registry: In which it is.
        name: Of the plugin.
        models: Only these; empty for all.
        all_variants: Of each model, not its first variant alone.
        seconds: For which one check may last.
        progress: Called with each result as soon as it is known.

    Raises:
        NotFoundError: There is no such plugin, or it has no such model.
    """
    snapshot = registry.snapshot()
    report = named({report.name: report for report in snapshot.plugins}, name, "plugin", "layerwise plugins lists them")
    results = []
    for subject in (name, *subjects_of(snapshot, name, models=models, all_variants=all_variants)):
        for result in check_subject(registry, subject, seconds=seconds):
            results.append(result)
            progress(result)
    versions = {package: version for package in ENVIRONMENT if (version := package_version(package))}
    return ConformanceReport(
        plugin=name,
        source=report.source,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        environment={"Python": platform.python_version(), **versions},
        results=tuple(results),
    )


def subjects_of(
    snapshot: Snapshot, plugin: str, *, models: Sequence[str] = (), all_variants: bool = False
) -> list[str]:
    """What is tried of a plugin beside itself: its models as "name:variant".

    Raises:
        NotFoundError: It has no such plugin or model.
    """
    reports = {report.name: report for report in snapshot.plugins}
    own = {model: snapshot.models[model] for model in named(reports, plugin, "plugin", "see layerwise plugins").models}
    chosen = [named(own, model, f"model of {plugin}", f"choose one of {', '.join(own)}") for model in models or own]
    return [
        f"{spec.name}:{variant.name}"
        for spec in chosen
        for variant in (spec.variants if all_variants else spec.variants[:1])
    ]


def check_subject(registry: Registry, subject: str, *, seconds: float = SECONDS) -> Iterator[CheckResult]:
    """Make all checks of a plugin ("my-pets") or a variant of a model ("vision/pets:default"); a result as soon as it
    is known."""
    with tempfile.TemporaryDirectory(prefix="layerwise-check-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        files = os.pathsep.join(str(file.path) for file in plugin_files(registry.home))
        environment = {VARIABLE: files, "TF_CPP_MIN_LOG_LEVEL": "3"}
        # Where libraries would write something of their own when they are imported.
        environment |= {name: str(Path(folder) / "settings") for name in ("KERAS_HOME", "MPLCONFIGDIR")}
        own = [name for name in checks_of(subject) if name not in _other_backends()]
        yield from _all(subject, own, home, environment, seconds)
        for name, backend in _other_backends().items() if "/" in subject else ():
            if not (home / OUTPUTS_FILE).exists():
                yield CheckResult(check=name, subject=subject, status="skipped", detail="it has no outputs to compare")
                continue
            yield from _all(subject, [name], home, {**environment, "KERAS_BACKEND": backend}, seconds)


def checks_of(subject: str) -> list[str]:
    """The names of the checks of a plugin, or of a variant of a model."""
    return [*CHECKS, *_other_backends()] if "/" in subject else list(REGISTRATION_CHECKS)


def _other_backends() -> dict[str, str]:
    """The check for each backend that is installed beside the one in use."""
    return {
        f"it computes the same with {title}": backend
        for backend, title in TITLES.items()
        if backend != backend_name() and importlib.util.find_spec(backend) is not None
    }


def _all(
    subject: str, names: Sequence[str], home: Path, environment: Mapping[str, str], seconds: float
) -> Iterator[CheckResult]:
    """The results of all checks, in as many processes as it takes."""
    left = list(names)
    while left:
        for result in _until_it_ends(subject, left, home, environment, seconds):
            left.remove(result.check)
            yield result


def _until_it_ends(
    subject: str, names: Sequence[str], home: Path, environment: Mapping[str, str], seconds: float
) -> Iterator[CheckResult]:
    """The results that one process gives, and one of the check that ended it."""
    file, log = home.parent / "results.jsonl", home.parent / "log.txt"
    file.write_text("", encoding="utf-8")
    current, since, place = names[0], time.monotonic(), 0
    with log.open("wb") as output:
        process = processes.start(
            MODULE, subject, str(file), *names, home=home, environment=environment, stdout=output, stderr=output
        )
    try:
        while True:
            ended = process.poll() is not None
            text = file.read_text(encoding="utf-8")
            lines, place = text[place : text.rfind("\n") + 1].splitlines(), text.rfind("\n") + 1
            for line in map(json.loads, lines):
                since = time.monotonic()
                if "begins" in line:
                    current = line["begins"]
                else:
                    current = ""
                    yield CheckResult(**line["result"])
            is_late = time.monotonic() - since > seconds
            if ended or is_late:
                if current:
                    yield _not_ended(subject, current, process.returncode, seconds, log)
                return
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()


def _not_ended(subject: str, check: str, status: int | None, seconds: float, log: Path) -> CheckResult:
    if status is None:
        detail = f"It did not end within {seconds:g} seconds."
    else:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-LAST_LINES:]
        how = f"by the signal {signal.Signals(-status).name}" if status < 0 else f"with the exit status {status}"
        detail = " ".join([f"Its process ended {how}.", *lines])
    return CheckResult(check=check, subject=subject, status="failed", detail=detail, seconds=seconds)
