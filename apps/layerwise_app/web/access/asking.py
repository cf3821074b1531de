"""Who asks, for the functions that answer them."""

from __future__ import annotations

from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.errors import AccessError
from layerwise_app.accounts import EVERYBODY, Account
from layerwise_app.web.access.table import ACTIONS, refusal

if TYPE_CHECKING:
    from layerwise.datasets.uploads import UploadStore

KEY = "layerwise.account"
"""Where a request says who asks: the key in its ASGI scope."""
CURRENT: ContextVar[Account] = ContextVar("account", default=EVERYBODY)
"""Who asks, in whatever answers them."""


def asker() -> str | None:
    """The name of the account of who asks; None where no account is needed."""
    return CURRENT.get().name or None


def demand(action: str) -> None:
    """Check that who asks may do one of ACTIONS.

    Raises:
        AccessError: They may not.
    """
    account = CURRENT.get()
    if account.role < ACTIONS[action]:
        raise refusal(account, ACTIONS[action], f"To {action}")


def locate(uploads: UploadStore, data: str | None) -> Path | None:
    """Where data are that a visitor names: an upload, or, for those who may, a path on the machine of the server.

    Raises:
        AccessError: It is no upload, and the visitor may name no other.
        DataError: It is an archive that cannot be used.
    """
    if not data or not data.strip():
        return None
    found = data.strip()
    if found in [upload.id for upload in uploads.list()]:
        return uploads.get(found).folder
    try:
        demand("name a path of the server")
    except AccessError as error:
        raise AccessError(
            f"There is no upload {found[:80]!r}, and {error.what[0].lower()}{error.what[1:]}",
            received=error.received,
            remedy="upload the data",
        ) from None
    return uploads.locate(found)


def named_cluster(cluster: str | None) -> str | None:
    """The cluster that a visitor names for a training, None for none.

    Raises:
        AccessError: They may name none: its machines run what they are sent, and this server what they answer.
    """
    found = (cluster or "").strip() or None
    if found is not None:
        demand("name a cluster")
    return found
