"""The one table of who may do what: requests by their path, pages, and the events of pages.

Requests are looked up before anything else sees them, events just before their function is called, however they were
asked for. What no row names needs an admin.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from layerwise.datasets.uploads import LARGEST_UPLOAD
from layerwise.errors import AccessError
from layerwise_app.accounts import Account, Role

ANYONE, VIEWER, EDITOR, ADMIN, NOBODY = Role
LARGEST_BODY = 32 * 2**20
LARGEST_MEDIA = 200 * 2**20
"""The most bytes of a request: usually, and where somebody brings a picture, a sound or a film."""


@dataclass(frozen=True)
class Rule:
    """A row of the table.

    Args:
        role: Who may.
        methods: Of HTTP, or WEBSOCKET; * for all.
        path: As `fnmatch` has it; * also stands for slashes.
        largest: The most bytes of the body.
        largest_for: Another limit for a role and those above it.
    """

    role: Role
    methods: str
    path: str
    largest: int = LARGEST_BODY
    largest_for: tuple[Role, int] | None = None

    def limit(self, role: Role) -> int:
        """The most bytes of the body of a request by somebody."""
        if self.largest_for is not None and role >= self.largest_for[0]:
            return self.largest_for[1]
        return self.largest


PAGES: Mapping[str, Role] = {
    "train": EDITOR,
    "compare": EDITOR,
    "tune": EDITOR,
    "plugins": ADMIN,
    "pretrained": ADMIN,  # it downloads gigabytes, and reads folders of the server
}
"""Who may open a page, and use what is on it. The others are for viewers."""
EVENTS: tuple[tuple[Role, str], ...] = (
    (EDITOR, "layerwise_app.web.demo:Demo.fetched"),
    (EDITOR, "layerwise_app.web.chat:_wire.<locals>.fetched"),
    *((EDITOR, f"layerwise_app.web.pages.beside:_Page.{do}") for do in ("start", "stop_board", "go_on", "remove")),
    (EDITOR, "layerwise_app.web.pages.models:_Page.promote_version"),
    (EDITOR, "layerwise_app.web.pages.models:_Page.roll_back"),
    (EDITOR, "layerwise_app.web.pages.export_part:ExportPart.wire.<locals>.write"),
)
"""Functions of events that need more than their page does: "module:name"."""
ACTIONS: Mapping[str, Role] = {
    "name a path of the server": ADMIN,
    "name a cluster": ADMIN,
}
"""What a part of a request may ask for."""
_GRADIO_READS = (
    *("app_id", "call/*", "heartbeat/*", "info", "login_check", "openapi.json", "queue/*", "startup-events"),
    *("stream/*", "theme.css", "upload_progress", "user"),
)
_GRADIO_EVENTS = ("api/*", "call/*", "cancel", "component_server", "queue/join", "reset", "run/*", "stream/*")
RULES = (
    # What the page for signing in needs, and what watches the server.
    Rule(ANYONE, "*", "/login", 16_384),
    Rule(ANYONE, "POST", "/logout", 16_384),
    Rule(ANYONE, "GET HEAD", "/api/v1/health"),
    Rule(ANYONE, "GET HEAD", "/healthz"),
    Rule(ANYONE, "GET HEAD", "/readyz"),
    Rule(ANYONE, "GET HEAD", "/api/v1/account"),
    Rule(ANYONE, "GET HEAD", "/favicon.ico"),
    Rule(ANYONE, "GET HEAD", "/static/*"),
    Rule(ANYONE, "GET HEAD", "/assets/*"),
    Rule(ANYONE, "GET HEAD", "/svelte/*"),
    Rule(ANYONE, "GET HEAD", "/robots.txt"),
    Rule(ANYONE, "GET HEAD", "/languages/*"),
    # The HTTP API: whoever signed in may read and ask models, editors do the rest.
    Rule(VIEWER, "POST", "/api/v1/predict/*", LARGEST_MEDIA),
    Rule(VIEWER, "POST", "/api/v1/stream/*", LARGEST_MEDIA),
    Rule(VIEWER, "POST", "/api/v1/beside", LARGEST_MEDIA),
    Rule(VIEWER, "WEBSOCKET", "/api/v1/play/*"),
    Rule(ADMIN, "*", "/api/v1/plugins*"),
    Rule(VIEWER, "GET HEAD", "/api/v1/data/example.zip"),
    Rule(EDITOR, "PUT", "/api/v1/data/*", LARGEST_UPLOAD),
    Rule(EDITOR, "*", "/api/v1/data*"),
    Rule(VIEWER, "GET HEAD", "/api/v1/*"),
    Rule(EDITOR, "*", "/api/v1/*"),
    Rule(VIEWER, "GET HEAD", "/metrics"),
    Rule(VIEWER, "*", "/mcp", LARGEST_MEDIA),
    # Gradio: files that were uploaded or made, and never an address, which it would get; events, which are looked up
    # one by one (see EVENTS). Its other routes ask other servers or tell of this one.
    Rule(NOBODY, "*", "/gradio_api/file=*:/*"),
    Rule(VIEWER, "GET HEAD", "/gradio_api/file=*"),
    Rule(VIEWER, "POST", "/gradio_api/upload", LARGEST_MEDIA, (EDITOR, LARGEST_UPLOAD)),
    *(Rule(VIEWER, "GET HEAD", f"/gradio_api/{path}") for path in _GRADIO_READS),
    *(Rule(VIEWER, "POST", f"/gradio_api/{path}") for path in _GRADIO_EVENTS),
    Rule(NOBODY, "*", "/gradio_api/*"),
    Rule(NOBODY, "*", "/monitoring*"),
    Rule(VIEWER, "GET HEAD", "/config"),
    Rule(VIEWER, "GET HEAD", "/theme.css"),
    Rule(VIEWER, "GET HEAD", "/manifest.json"),
    Rule(VIEWER, "GET HEAD", "/pwa_icon*"),
    # Pages.
    *(Rule(role, "GET HEAD", f"/{path}") for path, role in PAGES.items()),
    Rule(VIEWER, "GET HEAD", "/"),
    Rule(VIEWER, "GET HEAD", "/[!_]*"),
)
"""The first that fits counts."""
_OTHERWISE = Rule(ADMIN, "*", "*")


@functools.lru_cache(4096)
def rule_of(method: str, path: str) -> Rule:
    """The row for a request.

    Args:
        path: As the server routes it: decoded, with or without the prefix of a snapshot.
    """
    plain = plain_path(path)
    for rule in RULES:
        if (rule.methods == "*" or method in rule.methods.split()) and fnmatchcase(plain, rule.path):
            return rule
    return _OTHERWISE


def plain_path(path: str) -> str:
    """A path as the table has it: without the prefix of a snapshot, and with no slash at its end."""
    found = re.sub(r"^/snapshot-[^/]*", "", re.sub(r"/{2,}", "/", path))
    # A path of Gradio's may name a file or an address, which is compared as it is.
    return found.rstrip("/") or "/"


def role_of_event(function: str, page: str) -> Role:
    """Who may call the function of an event.

    Args:
        function: "module:name" of it.
        page: The path of the page that it is on.
    """
    module = function.partition(":")[0]
    # Of what is drawn later, Gradio may not know the page.
    drawn_by = module.rpartition(".")[2] if module.startswith("layerwise_app.web.pages.") else ""
    roles = (PAGES.get(page, VIEWER), PAGES.get(drawn_by, VIEWER))
    return max([*roles, *(needed for needed, name in EVENTS if name == function)])


def refused_pages(account: Account) -> list[str]:
    """The paths of the pages that somebody may not open."""
    return [path for path, role in PAGES.items() if role > account.role]


def refusal(account: Account, role: Role, what: str = "This") -> AccessError:
    """What somebody is told who may not."""
    if role is NOBODY:
        return AccessError(f"{what} is not offered here")
    return AccessError(
        f"{what} is for the role {role.word}",
        received=f"{account.name}, {account.role.word}",
        remedy="ask whoever runs this server, or sign in with another account",
    )
