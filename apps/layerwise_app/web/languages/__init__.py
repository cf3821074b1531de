"""The pages in other languages than English.

What stands on a page is English. A visitor who reads another language is sent the catalogue of that language, and a
script that puts its words in the place of the English ones (translate.js); head.js, a part of every page, says which
language it is. Catalogues are gettext's: those of the app are beside this file, those of a plugin in a folder
`languages` beside its `__init__`. docs/languages.md says how to write one.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import logging
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response

from layerwise_app.accounts import EVERYBODY, Role
from layerwise_app.web.access.asking import KEY

if TYPE_CHECKING:
    from layerwise.plugins.loading import PluginReport
    from layerwise.workspace import Workspace

logger = logging.getLogger(__name__)

LANGUAGES = {"en": "English", "de": "Deutsch"}
"""What each is called by those who read it. English needs no catalogue."""
FOLDER = "languages"
"""Where a plugin has its catalogues."""
_HERE = Path(__file__).parent
_KEPT = "private, max-age=60, stale-while-revalidate=86400"
"""For how long a browser takes it from its own store: a change is seen at the second look at a page."""


def words_of(path: Path) -> dict[str, str]:
    """What a catalogue says: the words of a language by the English ones, without those that nobody has finished.

    Raises:
        OSError: It cannot be read.
        UnicodeDecodeError: It is not in UTF-8.
    """
    import polib

    return {entry.msgid: entry.msgstr for entry in polib.pofile(str(path), encoding="utf-8").translated_entries()}


def catalogues(plugins: Iterable[PluginReport], code: str) -> Iterator[Path]:
    """Where the catalogues of a language may be: those of plugins, as far as they are loaded, and that of the app."""
    for plugin in plugins:
        file = getattr(sys.modules.get(plugin.module), "__file__", None)
        if plugin.status == "loaded" and file:
            yield Path(file).parent / FOLDER / f"{code}.po"
    yield _HERE / f"{code}.po"


def all_words(plugins: Iterable[PluginReport], code: str) -> dict[str, str]:
    """All that is known of a language. A plugin can say its own words, and none of the app's in another way."""
    found: dict[str, str] = {}
    for path in catalogues(plugins, code):
        try:
            found |= words_of(path) if path.is_file() else {}
        except (OSError, UnicodeDecodeError) as error:  # a plugin's file
            logger.warning("The catalogue %s cannot be read: %s", path, error)
    return found


def make_languages(workspace: Workspace) -> APIRouter:
    """The routes of the languages: the script, and the catalogue of each as JSON."""
    router = APIRouter(include_in_schema=False)

    @functools.lru_cache(2 * len(LANGUAGES))
    def catalogue(number: int | None, code: str) -> tuple[bytes, str]:
        # Whoever has not signed in reads the page for that, and not which plugins there are.
        words = all_words(workspace.registry.snapshot().plugins if number is not None else (), code)
        # Kept as it is sent: a fourth of what it would be, and every browser can take it.
        body = gzip.compress(json.dumps(words, ensure_ascii=False).encode(), mtime=0)
        return body, f'"{hashlib.sha256(body).hexdigest()[:16]}"'

    @router.get(f"/{FOLDER}/translate.js")
    def script() -> FileResponse:
        return FileResponse(_HERE / "translate.js", headers={"cache-control": _KEPT})

    @router.get(f"/{FOLDER}/{{code}}.json")
    def words(code: str, request: Request) -> Response:
        if code not in LANGUAGES or code == "en":
            return Response(status_code=404)
        is_in = request.scope.get(KEY, EVERYBODY).role > Role.ANYONE
        body, tag = catalogue(workspace.registry.snapshot().number if is_in else None, code)
        headers = {"cache-control": _KEPT, "content-encoding": "gzip", "etag": tag, "vary": "cookie"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(body, media_type="application/json", headers=headers)

    return router


@functools.cache
def head_script() -> str:
    """What says which language a page is in, for the beginning of its head."""
    script = (_HERE / "head.js").read_text(encoding="utf-8").replace('["OFFERED"]', json.dumps([*LANGUAGES]))
    return f"<script>{script}</script>"
