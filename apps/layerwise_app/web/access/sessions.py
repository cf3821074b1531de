"""Who is signed in: a small file for each browser, so that a server that starts again, or another one of the same
home, knows them still, and so that signing out ends it everywhere.

    sessions/<SHA-256 of the cookie>.json    {"name": "anna", "mark": ..., "made": seconds since 1970}

The cookie itself is nowhere on the disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import secrets
import time
from pathlib import Path

from layerwise.paths import write_atomically
from layerwise_app.accounts import Account, AccountFile

LONGEST = 12 * 3600.0
"""Seconds after which somebody signs in again."""
MOST = 5000
"""How many there are at most; the oldest end."""


class Sessions:
    """Those of one home.

    Args:
        accounts: Whose they are.
        folder: Where their files are.
    """

    def __init__(self, accounts: AccountFile, folder: Path) -> None:
        self.accounts, self.folder = accounts, folder

    def begin(self, account: Account) -> str:
        """Sign somebody in. Returns the value of the cookie."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._remove_old()
        cookie = secrets.token_urlsafe(32)
        content = {"name": account.name, "mark": self.accounts.mark_of(account.name), "made": time.time()}
        write_atomically(self._file(cookie), json.dumps(content), mode=0o600)
        return cookie

    def find(self, cookie: str) -> Account | None:
        """Who has this cookie, None when it is nobody's any more."""
        try:
            found = json.loads(self._file(cookie).read_text(encoding="utf-8"))
            age = time.time() - float(found["made"])
            return self.accounts.of_name(str(found["name"]), str(found["mark"])) if 0 <= age < LONGEST else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def end(self, cookie: str) -> None:
        """Sign whoever has it out."""
        with contextlib.suppress(OSError):
            self._file(cookie).unlink()

    def _file(self, cookie: str) -> Path:
        return self.folder / f"{hashlib.sha256(cookie.encode('utf-8', 'replace')).hexdigest()}.json"

    def _remove_old(self) -> None:
        ages: list[tuple[float, Path]] = []
        for path in self.folder.iterdir():
            with contextlib.suppress(OSError):
                if re.fullmatch(r"[0-9a-f]{64}\.json", path.name):
                    ages.append((path.stat().st_mtime, path))
        oldest = time.time() - LONGEST
        newest = sorted(ages, reverse=True)
        for place, (made, path) in enumerate(newest):
            if made < oldest or place >= MOST - 1:
                with contextlib.suppress(OSError):
                    path.unlink()
