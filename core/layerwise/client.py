"""A thin client of the HTTP API of a server (`layerwise serve`): what `layerwise.open_workspace` offers on one machine,
from another one.

    client = Client("http://127.0.0.1:7860")
    client.predict("vision/fashion", "shoe.png")["label"]

Errors of the server are raised as the same `LayerwiseError` kinds that the server raised.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from layerwise import errors
from layerwise.errors import InputError, LayerwiseError
from layerwise.job_folders.events import ENDINGS
from layerwise.tasks.fields import FILE_KINDS
from layerwise.versions import Reference, parse_reference

if TYPE_CHECKING:
    import requests

ADDRESS = "http://127.0.0.1:7860"
TIMEOUT = 600.0
"""Seconds after which an answer is waited for no longer. The first one of a model takes as long as loading it."""
CONNECT_TIMEOUT = 10.0
RECONNECTS = 60
"""How often one who follows a run asks again after the connection was lost, without anything new in between."""


class UnavailableError(LayerwiseError):
    """The server cannot be reached, or the connection to it was lost."""


class Client:
    """A connection to a server. To be closed, or used in a `with` statement.

    Args:
        address: Where the server is: "http://127.0.0.1:7860".
        auth: A name and a password, where the server wants them.
        headers: What else each request shall say.
        timeout: Seconds after which an answer is waited for no longer.

    Example:
        >>> with Client("http://127.0.0.1:7860") as client:  # doctest: +SKIP
        ...     client.predict("language/sentiment", "A fine film.")["label"]
        'positive'
    """

    def __init__(
        self,
        address: str = ADDRESS,
        *,
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        import requests

        self.address, self.timeout = address.rstrip("/"), timeout
        self._session = requests.Session()
        self._session.auth = auth
        self._session.headers.update(headers or {})
        self._fields: dict[str, list[dict[str, Any]]] = {}

    def models(self) -> list[dict[str, Any]]:
        """All models: name, title, summary, inputs, outputs, variants."""
        return self._json("GET", "models")

    def model(self, name: str) -> dict[str, Any]:
        """One model, with its card, the settings of its training and its versions.

        Raises:
            NotFoundError: The server has none of that name.
        """
        return self._json("GET", f"models/{parse_reference(name).name}")

    def predict(self, reference: str | Reference, inputs: Any) -> dict[str, Any]:
        """The answer of a model to one input.

        Args:
            reference: The model: "vision/fashion", "vision/fashion:dense", "vision/fashion:dense@RUN".
            inputs: A value for each input by its name; or, for a model that needs one, the value itself. Files as a
                path, as bytes or as a PIL image.

        Raises:
            NotFoundError: There is no such model, variant or version.
            InputError: The input cannot be used.
            LayerwiseError: The model cannot be loaded or has failed, or the server cannot be reached.
        """
        asked = parse_reference(reference)
        return self._json("POST", f"predict/{asked.name}", json=self._body(asked, inputs))["answer"]

    def stream(self, reference: str | Reference, inputs: Any) -> Iterator[dict[str, Any]]:
        """Answers of a model to one input as they become better, the last one whole. Closing the iterator cancels the
        work.

        Raises:
            LayerwiseError: As for `predict`, and when the connection is lost.
        """
        asked = parse_reference(reference)
        with self._ask("POST", f"stream/{asked.name}", json=self._body(asked, inputs), stream=True) as response:
            for _, kind, value in _events(response):
                if kind == "end":
                    return
                if kind == "error":
                    raise _error(value)
                yield value["answer"]
        raise UnavailableError("The answer was broken off", remedy="ask again")

    def runs(self) -> list[RemoteRun]:
        """The training runs of the server, the newest first."""
        return [RemoteRun(self, found["id"]) for found in self._json("GET", "runs")]

    def run(self, identifier: str) -> RemoteRun:
        """The run with that id, or the only one whose id begins or ends so.

        Raises:
            NotFoundError: There is none.
        """
        return RemoteRun(self, self._json("GET", f"runs/{identifier}")["id"])

    def train(
        self,
        reference: str | Reference,
        *,
        data: str | None = None,
        start_from: str | None = None,
        device: str = "auto",
        **config: Any,
    ) -> RemoteRun:
        """Start a training on the server, and return at once.

        Args:
            reference: The model, with a variant where it shall not be the first: "vision/fashion:dense".
            data: The id of an upload, or a folder on the server; None is the model's own data set.
            start_from: "in-use", or the id of a version whose weights it begins with.
            device: "auto", "cpu", "gpu", "gpu:1", "all".
            config: Settings that are to be others than the usual ones, as `model(name)["settings"]` lists them.

        Raises:
            LayerwiseError: It cannot be trained so.
        """
        asked = parse_reference(reference)
        body = {
            "model": asked.name,
            "variant": asked.variant,
            "config": config,
            "data": data,
            "start_from": start_from,
            "device": device,
        }
        return RemoteRun(self, self._json("POST", "runs", json=body)["id"])

    def rollback(self, reference: str | Reference) -> dict[str, Any]:
        """Put the version in use that was in use before.

        Raises:
            RunError: There was none before.
        """
        asked = parse_reference(reference)
        return self._json("POST", f"models/{asked.name}/rollback", params={"variant": asked.variant})

    def upload(self, path: Path | str) -> dict[str, Any]:
        """Bring data of one's own to the server, a zip archive or a table; its "id" is the `data` of `train`.

        Raises:
            DataError: It cannot be used, or there is no room for it.
        """
        path = Path(path)
        with path.open("rb") as file:
            return self._json("PUT", f"data/{path.name}", data=file)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _body(self, asked: Reference, inputs: Any) -> dict[str, Any]:
        fields = self._inputs_of(asked.name)
        if isinstance(inputs, Mapping):
            kinds = {field["name"]: field["kind"] for field in fields}
            sent: Any = {name: _as_json(value, kinds.get(name, "")) for name, value in inputs.items()}
        else:
            needed = [field for field in fields if not field["optional"]] or fields[:1]
            sent = _as_json(inputs, needed[0]["kind"] if needed else "")
        return {"inputs": sent, "variant": asked.variant, "version": asked.version}

    def _inputs_of(self, name: str) -> list[dict[str, Any]]:
        """The inputs of a model, asked for once."""
        if name not in self._fields:
            self._fields[name] = self.model(name)["inputs"]
        return self._fields[name]

    def _json(self, method: str, path: str, **options: Any) -> Any:
        with self._ask(method, path, **options) as response:
            return response.json() if response.content else None

    def _ask(self, method: str, path: str, **options: Any) -> requests.Response:
        import requests

        url = f"{self.address}/api/v1/{path}"
        try:
            response = self._session.request(method, url, timeout=(CONNECT_TIMEOUT, self.timeout), **options)
        except requests.RequestException as error:
            raise UnavailableError(
                f"{self.address} does not answer",
                received=type(error).__name__,
                remedy="start it there: layerwise serve",
            ) from error
        if response.ok:
            return response
        with response:
            try:
                body = response.json()
            except ValueError:
                body = {}
        if isinstance(body, dict) and isinstance(body.get("error"), dict):
            raise _error(body)
        kind = UnavailableError if response.status_code in (502, 503, 504) else LayerwiseError
        raise kind(f"{self.address} gives no answer of Layerwise", received=f"the status {response.status_code}")


@dataclass(frozen=True)
class RemoteRun:
    """A training run on a server.

    Args:
        client: Of the server.
        id: Of the run.
    """

    client: Client
    id: str

    def describe(self) -> dict[str, Any]:
        """What was asked for and what has become of it: model, state, reason, metrics, config, history ..."""
        return self._ask("GET")

    @property
    def state(self) -> str:
        """queued, running, finished, stopped or failed."""
        return self.describe()["state"]

    def follow(self) -> Iterator[dict[str, Any]]:
        """The events of the run (`layerwise.job_folders.events`) from the first to the last, as they come. Ends when
        the run has ended; goes on when the connection was lost or the server was started anew.

        Raises:
            UnavailableError: The server does not come back.
        """
        number, tries = 0, 0
        while True:
            try:
                with self.client._ask(
                    "GET", f"runs/{self.id}/stream", params={"start": number}, stream=True
                ) as response:
                    for identifier, kind, value in _events(response):
                        if kind == "end":
                            return
                        number, tries = int(identifier) + 1, 0
                        yield value
            except UnavailableError:
                if tries == RECONNECTS:
                    raise
            tries = min(tries + 1, RECONNECTS)
            time.sleep(min(0.25 * tries, 5.0))

    def wait(self) -> dict[str, Any]:
        """Wait until it has ended. Returns what `describe` does.

        Raises:
            LayerwiseError: The server does not come back.
        """
        for _ in self.follow():
            pass
        found = self.describe()
        assert found["state"] in ENDINGS
        return found

    def stop(self) -> dict[str, Any]:
        """Ask it to stop after its current step, and to keep what there is.

        Raises:
            RunError: It has ended already.
        """
        return self._ask("POST", "/stop")

    def resume(self) -> dict[str, Any]:
        """Let it go on from its newest checkpoint.

        Raises:
            RunError: It is going on, or has finished.
        """
        return self._ask("POST", "/resume")

    def promote(self) -> dict[str, Any]:
        """Put the version that it made in use.

        Raises:
            RunError: It has made none.
        """
        return self._ask("POST", "/promote")

    def delete(self) -> None:
        """Delete it with its version.

        Raises:
            RunError: It goes on, or its version is in use.
        """
        self._ask("DELETE")

    def _ask(self, method: str, what: str = "") -> Any:
        return self.client._json(method, f"runs/{self.id}{what}")


def file_bytes(value: str | Mapping[str, Any]) -> bytes:
    """The bytes of a picture or a file of an answer.

    Args:
        value: A data URL, or a mapping with one as "content".

    Raises:
        InputError: It is neither.
    """
    text = value.get("content", "") if isinstance(value, Mapping) else value
    if not (isinstance(text, str) and text.startswith("data:")):
        raise InputError("This is no file of an answer", expected="a data URL", received=repr(text)[:40])
    return base64.b64decode(text.partition(",")[2])


def _as_json(value: Any, kind: str) -> Any:
    if kind == "files":
        items = value if isinstance(value, list | tuple) else [] if value is None else [value]
        return [_file_as_json(item) for item in items]
    if kind not in FILE_KINDS:
        return value.tolist() if hasattr(value, "tolist") else value
    if hasattr(value, "save") and hasattr(value, "getbands"):  # a PIL image
        import io

        buffer = io.BytesIO()
        value.save(buffer, format="PNG")
        value = buffer.getvalue()
    if isinstance(value, str | Path) and not str(value).startswith("data:"):
        try:
            value = Path(value).read_bytes()
        except OSError as error:
            raise InputError("The file cannot be read", received=f"{str(value)[:200]}: {error.strerror}") from None
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _file_as_json(item: Any) -> Any:
    """One of several files, with its name where it has one."""
    if isinstance(item, Mapping):
        return {**item, "content": _as_json(item.get("content"), "file")}
    content = _as_json(item, "file")
    return {"name": Path(item).name, "content": content} if isinstance(item, str | Path) else content


def _events(response: requests.Response) -> Iterator[tuple[str, str, Any]]:
    """The server-sent events of a response: the id, the kind and the value of each. Ends with the connection."""
    import requests

    found: dict[str, str] = {}
    try:
        as_it_comes: Any = None  # not in pieces of a size
        for line in response.iter_lines(chunk_size=as_it_comes):
            if line:
                name, _, text = line.decode().partition(":")
                found[name] = text.removeprefix(" ")
            elif "data" in found:
                yield found.get("id", ""), found.get("event", "message"), json.loads(found["data"])
                found = {}
    except requests.RequestException:
        return


def _error(body: Mapping[str, Any]) -> LayerwiseError:
    """The error that the server tells of, of the same kind."""
    told = body["error"]
    kind = getattr(errors, str(told.get("type")), None)
    kind = kind if isinstance(kind, type) and issubclass(kind, LayerwiseError) else LayerwiseError
    parts = {name: told.get(name) for name in ("expected", "received", "remedy")}
    return kind(told.get("what") or told.get("message") or "The server has failed", **parts)
