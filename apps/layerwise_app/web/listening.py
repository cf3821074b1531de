"""Where a server listens, who reaches it there, and what whoever starts it is told about that."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys

from layerwise.errors import LayerwiseError
from layerwise_app.accounts import AccountFile


def listen(host: str, port: int) -> socket.socket:
    """A socket with that port, before anything slow is done: a taken one is said at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named asyncio sends at once (TCP_NODELAY); otherwise each answer waits 40 ms for the client's
    # delayed acknowledgement.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        raise LayerwiseError(
            f"Cannot listen on {host}:{port}",
            received=str(error),
            remedy="choose another one: layerwise serve --port 7861",
        ) from None
    return listening


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def warning_of(host: str, accounts: AccountFile | None) -> str:
    """What whoever starts a server that others reach has to know."""
    if is_loopback(host):
        return ""
    if accounts is None:
        return (
            "Everybody who reaches this machine may use, train and change everything here. What to do: layerwise "
            "accounts add NAME --role admin, then layerwise serve --auth with the file that it names."
        )
    return (
        "Passwords travel readable for others in this network. What to do: put a proxy with TLS before this server "
        "(docs/security.md), and let it listen on 127.0.0.1."
    )


def has_screen() -> bool:
    """Whether a browser has somewhere to appear. On a server without a screen Python would open a browser for text in
    this very terminal."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME")
    return sys.platform != "linux" or any(os.environ.get(name) for name in names)


def reachable(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):  # nosec B104 (nothing is bound here)
        return "localhost"
    return f"[{host}]" if ":" in host else host
