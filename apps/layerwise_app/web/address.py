"""What a page shows, kept in its address, so that it can be opened again, here or elsewhere, and shared."""

from __future__ import annotations

import json

_REMEMBER = """(...values) => {
  const names = NAMES;
  const address = new URL(window.location);
  names.forEach((name, place) => {
    if (values[0]?.length) address.searchParams.set(name, [values[place]].flat().join(","));
    else address.searchParams.delete(name);
  });
  window.history.replaceState(window.history.state, "", address);
  return [];
}"""


def remembering(*names: str) -> str:
    """The script of an event that keeps the values of its inputs in the address, lists with commas; none of them where
    the first is empty.

    Args:
        names: Of the inputs, in their order.
    """
    return _REMEMBER.replace("NAMES", json.dumps(names))
