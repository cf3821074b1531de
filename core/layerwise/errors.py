"""Errors that a user can act on: what was expected, what was received, what to do.

Every failure that a person can cause is a `LayerwiseError`. The command line and the web app show
its text as one message and never its traceback; anything else that escapes is a bug of ours.
"""

from __future__ import annotations

UNEXPECTED = "Something went wrong that should not have. The server's log has the details."
"""What a visitor is told of anything else that escapes."""


class LayerwiseError(Exception):
    """Base of all errors that are meant to be read by a user.

    Args:
        what: What went wrong, one sentence without a full stop at its end.
        expected: What would have been right, or None when `what` says it.
        received: What came instead; values are shown with `repr` by the caller.
        remedy: What the reader can do now.

    Example:
        >>> print(LayerwiseError("Cannot read the picture", received="a text file",
        ...                      remedy="upload a PNG or JPEG"))
        Cannot read the picture. Received: a text file. What to do: upload a PNG or JPEG.
    """

    def __init__(
        self,
        what: str,
        *,
        expected: str | None = None,
        received: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.what = what
        self.expected = expected
        self.received = received
        self.remedy = remedy
        parts = [what]
        if expected:
            parts.append(f"Expected: {expected}")
        if received:
            parts.append(f"Received: {received}")
        if remedy:
            parts.append(f"What to do: {remedy}")
        super().__init__(" ".join(part if part.endswith((".", "?", "!")) else f"{part}." for part in parts))

    def __reduce__(self):
        # Keyword-only arguments are lost by the default pickling of exceptions, and errors travel
        # between the processes of a job and of a worker.
        return _rebuild, (type(self), self.what, self.expected, self.received, self.remedy)


def _rebuild(kind: type[LayerwiseError], what, expected, received, remedy) -> LayerwiseError:
    return kind(what, expected=expected, received=received, remedy=remedy)


class SpecError(LayerwiseError):
    """A registration object (ModelSpec, Task, DatasetSpec, Page ...) or a config is not valid."""


class PluginError(LayerwiseError):
    """A plugin cannot be loaded, or what it registers clashes with what is there."""


class WorkerError(LayerwiseError):
    """The process in which a plugin's model answers died, hung or became too large."""


class BusyError(LayerwiseError):
    """So many requests to a model wait already that another one is not taken.

    Attributes:
        position: Which of those who wait it would have been, from 1.
        retry_after: In how many seconds there is likely to be room.
    """

    position: int = 0
    retry_after: int = 1


class LateError(LayerwiseError):
    """An answer does not come to an end within the time that it may take."""


class NotFoundError(LayerwiseError):
    """A name (of a model, variant, data set, version, run, plugin) is not known here."""


class InputError(LayerwiseError):
    """What a user gave to a model (picture, text, table ...) cannot be used."""


class DataError(LayerwiseError):
    """A data set cannot be found, downloaded, verified or read."""


class MissingDataError(DataError):
    """The files of a data set are not on this machine, or not those that they should be."""


class WeightsError(LayerwiseError):
    """Weights are missing, corrupted, or belong to another architecture."""


class RunError(LayerwiseError):
    """A training run cannot be started, followed, stopped or promoted."""


class ExportError(LayerwiseError):
    """A version cannot be exported, or the exported network does not answer as it should."""


class DeviceError(LayerwiseError):
    """A device or a precision that was asked for is not available."""


class AccessError(LayerwiseError):
    """Who asks may not do this, or asks too often, or nobody knows who asks."""


class MissingDependencyError(LayerwiseError):
    """An optional package is not installed; the remedy is the install command."""


def missing_extra(package: str, extra: str, purpose: str) -> MissingDependencyError:
    """The error for an optional package that is not there, with the command that installs it.

    Example:
        >>> print(missing_extra("torch", "torch", "The torch backend"))
        The torch backend needs the package torch. What to do: pip install "layerwise[torch]".
    """
    return MissingDependencyError(f"{purpose} needs the package {package}", remedy=f'pip install "layerwise[{extra}]"')
