"""What came of the checks: for a program, for a person, and for the page of plugins."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from layerwise.paths import write_atomically

STATUSES = ("passed", "warned", "failed", "skipped")


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What came of one check.

    Args:
        check: Its name.
        subject: What was tried: "vision/pets:default", or the name of the plugin.
        status: "passed", "warned" (it passed, and will not with a later release), "failed" or "skipped".
        detail: Why it failed or was skipped; of one that passed, what was measured, or what is to be done; a sentence.
        seconds: How long it took.
    """

    check: str
    subject: str
    status: str
    detail: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ConformanceReport:
    """What came of all checks of a plugin.

    Args:
        plugin: Its name.
        source: Its distribution with the version, or its file.
        created: When, ISO 8601 in UTC.
        environment: With which versions of Python, Layerwise and the backend.
        results: Of each check, in their order.
    """

    plugin: str
    source: str
    created: str
    environment: Mapping[str, str] = field(default_factory=dict)
    results: tuple[CheckResult, ...] = ()

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """Those that failed."""
        return tuple(result for result in self.results if result.status == "failed")

    @property
    def conforms(self) -> bool:
        """Whether none failed, and not all were skipped."""
        return not self.failed and any(result.status == "passed" for result in self.results)

    @property
    def summary(self) -> str:
        """How many of each: "21 passed, 1 failed, 2 skipped"."""
        counts = {status: sum(result.status == status for result in self.results) for status in STATUSES}
        return ", ".join(f"{count} {status}" for status, count in counts.items() if count)

    def as_json(self) -> dict[str, Any]:
        """The report as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ConformanceReport:
        """The report that `as_json` gave."""
        return cls(**{**value, "results": tuple(CheckResult(**result) for result in value["results"])})

    def as_markdown(self) -> str:
        """The report as a document with a table for each subject."""
        lines = [f"# {self.plugin}: {'conforms' if self.conforms else 'does not conform'}", ""]
        where = ", ".join(f"{name} {version}" for name, version in self.environment.items())
        lines += [f"{self.source}, {self.created[:10]}: {self.summary}. {where}.", ""]
        for subject in dict.fromkeys(result.subject for result in self.results):
            lines += [f"## {subject}", "", "| check | | seconds | |", "| --- | --- | ---: | --- |"]
            lines += [
                f"| {result.check} | {result.status} | {result.seconds:.1f} | {_cell(result.detail)} |"
                for result in self.results
                if result.subject == subject
            ]
            lines.append("")
        return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


@dataclass(frozen=True, kw_only=True)
class ReportStore:
    """The newest report of each plugin below one home."""

    home: Path

    def keep(self, report: ConformanceReport) -> None:
        """Remember a report.

        Raises:
            OSError: The home cannot be written to.
        """
        write_atomically(self._path(report.plugin), json.dumps(report.as_json(), indent=2) + "\n")

    def find(self, plugin: str, source: str) -> ConformanceReport | None:
        """The newest report of a plugin, None for none of this source: another release has to be checked again."""
        try:
            report = ConformanceReport.from_json(json.loads(self._path(plugin).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return report if report.source == source else None

    def _path(self, plugin: str) -> Path:
        return self.home / "conformance" / f"{quote(plugin, safe=' ')}.json"
