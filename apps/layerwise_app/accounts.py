"""Accounts: who may sign in, with which role. A file of JSON that its owner alone can read.

    {"format": 1, "accounts": {"anna": {"role": "editor", "password": "$argon2id$...", "tokens": {...}}}}

Passwords are stored as Argon2id (RFC 9106), tokens, which are random already, as SHA-256.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import stat
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from filelock import FileLock

from layerwise.errors import AccessError, InputError, NotFoundError
from layerwise.paths import home, write_atomically

FORMAT = 1
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 1000
"""In characters. The longest is no rule for people: what is longer is an attempt to keep the server busy."""
TOKEN = "lw"
"""What every token begins with, so that scanners for secrets that were published find it."""
_CONSONANTS, _VOWELS = "bdfghjklmnprstvwz", "aeiou"
_NAME = re.compile(r"[\w][\w.@+-]{0,63}")


class Role(IntEnum):
    """What somebody may do; each may do what those before it may. ANYONE has not signed in, NOBODY is no account's."""

    ANYONE = 0
    VIEWER = 1
    EDITOR = 2
    ADMIN = 3
    NOBODY = 4

    @property
    def word(self) -> str:
        """As it is written: "viewer"."""
        return self.name.lower()


ROLES = (Role.VIEWER, Role.EDITOR, Role.ADMIN)
"""Those that an account can have."""
MAY = {
    Role.VIEWER: "tries models and reads what there is about them",
    Role.EDITOR: "also trains, brings data, exports, and puts versions in use",
    Role.ADMIN: "also manages plugins, and names paths and clusters that the server is to use",
}
"""What each is for."""


def role_of(word: str) -> Role:
    """The role that is written like this.

    Raises:
        InputError: There is none.
    """
    for role in ROLES:
        if role.word == word.strip().lower():
            return role
    known = ", ".join(role.word for role in ROLES)
    raise InputError("There is no such role", expected=known, received=repr(word[:40]))


@dataclass(frozen=True)
class Account:
    """Who is signed in.

    Args:
        name: Of the account; "" where no account is needed.
        role: What they may do: the account's, or the token's if that is less.
    """

    name: str
    role: Role


EVERYBODY = Account("", Role.ADMIN)
"""Who asks a server without accounts."""
STRANGER = Account("", Role.ANYONE)
"""Who asks a server with accounts, and has not signed in."""


class AccountFile:
    """The accounts of a server. Changes by other processes are seen at the next question.

    Args:
        path: Of the file; None is that of the home.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or home() / "accounts.json"
        self._hasher = PasswordHasher()
        self._seen: tuple[int, int, int] | None = None
        self._accounts: dict[str, dict[str, Any]] = {}
        # What a password is compared with where there is no such account, so that both answers take as long.
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    def names(self) -> dict[str, Role]:
        """The role of each account."""
        return {name: role_of(found["role"]) for name, found in sorted(self._read().items())}

    def tokens(self, name: str) -> dict[str, dict[str, str]]:
        """The tokens of an account by their ids: "role" and "created" of each.

        Raises:
            NotFoundError: There is no such account.
        """
        return {
            identifier: {"role": token["role"], "created": token["created"]}
            for identifier, token in self._get(name).get("tokens", {}).items()
        }

    def add(self, name: str, password: str, role: Role) -> None:
        """Make an account.

        Raises:
            InputError: The name or the password cannot be used, or the name is taken.
        """
        self.add_many({name: password}, role)

    def add_many(self, passwords: Mapping[str, str], role: Role) -> None:
        """Make an account for each name, all of them or none.

        Args:
            passwords: By the names.

        Raises:
            InputError: A name or a password cannot be used, or a name is taken.
        """
        made = {plain_name(name): self._hashed(password) for name, password in passwords.items()}

        def change(accounts: dict[str, dict[str, Any]]) -> None:
            if taken := next((name for name in made if name in accounts), None):
                raise InputError(
                    f"There is an account {taken} already", remedy="change it: layerwise accounts password, or role"
                )
            for name, hashed in made.items():
                accounts[name] = {"role": role.word, "password": hashed, "created": _now(), "tokens": {}}

        self._change(change)

    def set_password(self, name: str, password: str) -> None:
        """Give an account another password. Whoever is signed in with the former one is signed out.

        Raises:
            NotFoundError: There is no such account.
            InputError: The password cannot be used.
        """
        hashed = self._hashed(password)
        self._change(lambda accounts: _named(accounts, name).update(password=hashed))

    def set_role(self, name: str, role: Role) -> None:
        """Give an account another role, which counts at once.

        Raises:
            NotFoundError: There is no such account.
        """
        self._change(lambda accounts: _named(accounts, name).update(role=role.word))

    def remove(self, name: str) -> None:
        """Remove an account with its tokens; whoever is signed in with it is signed out.

        Raises:
            NotFoundError: There is no such account.
        """

        def change(accounts: dict[str, dict[str, Any]]) -> None:
            _named(accounts, name)
            del accounts[plain_name(name)]

        self._change(change)

    def add_token(self, name: str, role: Role | None = None) -> str:
        """A new token of an account for programs. It is told this once.

        Args:
            role: What its holder may do, if that is to be less than the account may.

        Raises:
            NotFoundError: There is no such account.
        """
        identifier, secret = secrets.token_hex(4), secrets.token_urlsafe(32)

        def change(accounts: dict[str, dict[str, Any]]) -> None:
            found = _named(accounts, name)
            own = role_of(found["role"])
            token = {"sha256": _digest(secret), "role": min(own, role or own).word, "created": _now()}
            found.setdefault("tokens", {})[identifier] = token

        self._change(change)
        return f"{TOKEN}_{identifier}_{secret}"

    def remove_token(self, name: str, identifier: str) -> None:
        """Make a token worthless.

        Raises:
            NotFoundError: There is no such account, or it has no such token.
        """

        def change(accounts: dict[str, dict[str, Any]]) -> None:
            if _named(accounts, name).get("tokens", {}).pop(identifier, None) is None:
                raise NotFoundError(f"{name} has no token {identifier[:40]!r}", remedy="layerwise accounts list")

        self._change(change)

    def check(self, name: str, password: str) -> Account | None:
        """The account of that name and password, None when there is none. Takes about as long either way."""
        try:
            found = self._read().get(plain_name(name))
        except InputError:
            found = None
        if len(password) > LONGEST_PASSWORD:
            return None
        try:
            self._hasher.verify(found["password"] if found else self._nobody, _normal(password))
        except (Argon2Error, InvalidHashError):
            return None
        return Account(plain_name(name), role_of(found["role"])) if found else None

    def of_token(self, token: str) -> Account | None:
        """Whose token this is, None when it is nobody's."""
        kind, _, rest = token.partition("_")
        identifier, _, secret = rest.partition("_")
        if kind != TOKEN or not secret:
            return None
        for name, found in self._read().items():
            known = found.get("tokens", {}).get(identifier)
            if known is not None and hmac.compare_digest(known["sha256"], _digest(secret)):
                return Account(name, min(role_of(found["role"]), role_of(known["role"])))
        return None

    def of_name(self, name: str, mark: str) -> Account | None:
        """The account of that name, if its password is the one of `mark_of` still."""
        found = self._read().get(name)
        if found is None or not hmac.compare_digest(_digest(found["password"]), mark):
            return None
        return Account(name, role_of(found["role"]))

    def mark_of(self, name: str) -> str:
        """What changes when the password of an account does, and tells nothing of it."""
        return _digest(self._get(name)["password"])

    def _hashed(self, password: str) -> str:
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise InputError(
                "The password cannot be used",
                expected=f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters",
                received=f"{len(password)}",
            )
        return self._hasher.hash(_normal(password))

    def _get(self, name: str) -> dict[str, Any]:
        return _named(self._read(), name)

    def _read(self) -> dict[str, dict[str, Any]]:
        """The accounts as they are now."""
        try:
            found = self.path.stat()
        except OSError as error:
            raise AccessError(
                f"The accounts {self.path} cannot be read",
                received=error.strerror or str(error),
                remedy="layerwise accounts add NAME --role admin makes the first one",
            ) from None
        seen = (found.st_mtime_ns, found.st_size, found.st_ino)
        if seen != self._seen:
            if os.name == "posix" and stat.S_IMODE(found.st_mode) & 0o077:
                raise AccessError(
                    f"Others can read the accounts {self.path}", remedy=f"chmod 600 {self.path}, and new passwords"
                )
            self._accounts, self._seen = _parsed(self.path), seen
        return self._accounts

    def _change(self, change: Callable[[dict[str, dict[str, Any]]], None]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.with_name(f".{self.path.name}.lock"), mode=0o600):
            accounts = json.loads(json.dumps(self._read())) if self.path.exists() else {}
            change(accounts)
            content = json.dumps({"format": FORMAT, "accounts": accounts}, indent=2, ensure_ascii=False) + "\n"
            write_atomically(self.path, content, mode=0o600)


def plain_name(name: str) -> str:
    """A name as it is compared: whoever types Anna is anna.

    Raises:
        InputError: It cannot be a name.
    """
    found = unicodedata.normalize("NFKC", name).strip().casefold()
    if not _NAME.fullmatch(found):
        raise InputError(
            "The name cannot be used",
            expected="up to 64 letters, digits and . @ + - _, a letter or digit first",
            received=repr(name[:80]),
        )
    return found


def made_password() -> str:
    """A password that can be read out and typed by a child, and has 38 bits of chance in it: "tavo-kimu-re27"."""
    syllables = [secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS) for _ in range(5)]
    first, second, third = "".join(syllables[:2]), "".join(syllables[2:4]), syllables[4]
    return f"{first}-{second}-{third}{secrets.randbelow(90) + 10}"


def _named(accounts: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    found = accounts.get(plain_name(name))
    if found is None:
        raise NotFoundError(f"There is no account {name[:80]!r}", remedy="layerwise accounts list")
    return found


def _parsed(path: Path) -> dict[str, dict[str, Any]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        accounts = content["accounts"]
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']!r}")
        for found in accounts.values():
            role_of(found["role"])
            if not isinstance(found["password"], str) or not isinstance(found.get("tokens", {}), dict):
                raise TypeError("an account without a password")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, InputError) as error:
        raise AccessError(
            f"The accounts {path} cannot be read",
            expected="a file that `layerwise accounts add` wrote",
            received=str(error),
        ) from None
    return accounts


def _normal(password: str) -> str:
    """The same characters, whichever keyboard they came from."""
    return unicodedata.normalize("NFC", password)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
