"""For the tests of a plugin: the contract that Layerwise has with it, a test for each check.

    import pytest

    from layerwise.testing import contract


    @pytest.mark.parametrize("promise", contract("my-pets"))
    def test_the_contract(promise):
        promise.keep()

The plugin is installed (`pip install -e .`), or is a file that LAYERWISE_PLUGINS names.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerwise.conformance.checking import check_subject, checks_of, subjects_of
from layerwise.conformance.report import CheckResult
from layerwise.registry import Registry

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet


@dataclass(frozen=True)
class Promise:
    """A check of a plugin or of one of its models.

    Args:
        subject: "my-pets", or "vision/pets:default".
        check: Its name.
    """

    subject: str
    check: str

    def keep(self) -> None:
        """Make the check. The checks of a subject are made together, at the first of them. Of names that a later
        release will not have, pytest tells among its warnings.

        Raises:
            AssertionError: It failed; the text says why.
        """
        import pytest

        if self.subject not in _results:
            _results[self.subject] = {result.check: result for result in check_subject(Registry(), self.subject)}
        result = _results[self.subject][self.check]
        if result.status == "skipped":
            pytest.skip(result.detail)
        if result.status == "warned":
            warnings.warn(f"{self.subject}: {result.detail}", DeprecationWarning, stacklevel=2)
            return
        assert result.status == "passed", f"{self.subject}: {self.check}. {result.detail}"


_results: dict[str, dict[str, CheckResult]] = {}


def contract(plugin: str, *, models: Sequence[str] = (), all_variants: bool = False) -> list[ParameterSet]:
    """All checks of a plugin, for `pytest.mark.parametrize`.

    Args:
        plugin: Its name, as `layerwise plugins` shows it.
        models: Only these; empty for all.
        all_variants: Of each model, not its first variant alone.

    Raises:
        NotFoundError: There is no such plugin, or it has no such model.
    """
    import pytest

    subjects = [plugin, *subjects_of(Registry().snapshot(), plugin, models=models, all_variants=all_variants)]
    return [
        pytest.param(Promise(subject, check), id=f"{subject}-{check}")
        for subject in subjects
        for check in checks_of(subject)
    ]
