"""A hub on this machine: what a repository holds, and its files, as far as the hub's own library asks for them."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Hub:
    """The repositories of a stand-in.

    Attributes:
        branches: For each id the commit of each branch.
        commits: The folder of each commit of each id.
        gated: The ids of those whose terms have to be accepted.
        requested: What was asked for, method, path and range.
        cut_after: Break the connection after so many bytes of the next file of weights; None for never.
        wrong_sha256: Whether it tells wrong checksums.
        address: Where it is.
    """

    def __init__(self) -> None:
        self.branches: dict[str, dict[str, str]] = {}
        self.commits: dict[tuple[str, str], Path] = {}
        self.gated: set[str] = set()
        self.requested: list[tuple[str, str, str]] = []
        self.cut_after: int | None = None
        self.wrong_sha256 = False
        self.address = ""

    def publish(self, name: str, folder: Path, commit: str, branch: str = "main") -> None:
        """Put a folder at the head of a branch."""
        self.branches.setdefault(name, {})[branch] = commit
        self.commits[name, commit] = folder

    def find(self, name: str, revision: str) -> tuple[str, Path] | None:
        """The commit and the folder of a revision."""
        commit = self.branches.get(name, {}).get(revision, revision)
        folder = self.commits.get((name, commit))
        return None if folder is None else (commit, folder)

    def info(self, name: str, commit: str, folder: Path) -> dict[str, Any]:
        """What the hub tells of a repository."""
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        siblings: list[dict[str, Any]] = []
        for path in files:
            told: dict[str, Any] = {"rfilename": path.relative_to(folder).as_posix(), "size": path.stat().st_size}
            if path.suffix == ".safetensors":
                told["lfs"] = {"sha256": self.sha256(path), "size": path.stat().st_size, "pointerSize": 134}
            siblings.append(told)
        return {"id": name, "sha": commit, "siblings": siblings, "gated": "auto" if name in self.gated else False}

    def sha256(self, path: Path) -> str:
        """The checksum that it tells."""
        return "0" * 64 if self.wrong_sha256 else hashlib.sha256(path.read_bytes()).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Answers as the hub does."""

    hub: Hub

    def do_HEAD(self):
        self.answer(with_body=False)

    def do_GET(self):
        self.answer(with_body=True)

    def answer(self, *, with_body):
        path = self.path.partition("?")[0].replace("%2F", "/")
        self.hub.requested.append((self.command, path, self.headers.get("Range", "")))
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            self.send_info("/".join(parts[2:4]), "/".join(parts[5:]) or "main", with_body)
        elif "/".join(parts[:2]) in self.hub.gated:
            self.send(403, b"{}", {"X-Error-Code": "GatedRepo"}, with_body)
        else:
            self.send_named("/".join(parts[:2]), path.partition("/resolve/")[2], with_body)

    def send_info(self, name, revision, with_body):
        found = self.hub.find(name, revision)
        if found is None:
            missing = "RevisionNotFound" if name in self.hub.branches else "RepoNotFound"
            self.send(404, b'{"error": "not found"}', {"X-Error-Code": missing}, with_body)
        else:
            body = json.dumps(self.hub.info(name, *found)).encode()
            self.send(200, body, {"Content-Type": "application/json"}, with_body)

    def send_named(self, name, rest, with_body):
        for (owner, commit), folder in self.hub.commits.items():
            file = folder / rest.removeprefix(commit + "/")
            if owner == name and rest.startswith(commit + "/") and file.is_file():
                self.send_file(file, commit, with_body)
                return
        self.send(404, b"{}", {"X-Error-Code": "EntryNotFound"}, with_body)

    def send_file(self, file, commit, with_body):
        content, status = file.read_bytes(), 200
        headers = {
            "X-Repo-Commit": commit,
            "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
            "Accept-Ranges": "bytes",
        }
        asked = self.headers.get("Range", "")
        if asked:
            begin, status = int(asked.removeprefix("bytes=").partition("-")[0]), 206
            headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
            content = content[begin:]
        cut = self.hub.cut_after if with_body and file.suffix == ".safetensors" else None
        self.send(status, content, headers, with_body, most=cut)
        if cut is not None:
            self.hub.cut_after = None
            self.close_connection = True

    def send(self, status, body, headers, with_body, most=None):
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body[:most])

    def log_message(self, *_):
        pass


@contextmanager
def serving() -> Iterator[Hub]:
    """A stand-in that answers on this machine."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("HandlerOfTheTest", (Handler,), {"hub": hub}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hub.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
