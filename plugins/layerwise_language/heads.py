"""What the networks of this plugin ask of their attention."""

from __future__ import annotations

from layerwise.errors import SpecError


def check_heads(dimensions: int, heads: int) -> None:
    """Check that the numbers of a token can be shared among heads, in pairs that are turned by the place.

    Raises:
        SpecError: They cannot.
    """
    if dimensions % (2 * heads):
        raise SpecError(
            "The dimensions cannot be shared among the heads",
            expected=f"a multiple of {2 * heads}, twice the heads",
            received=str(dimensions),
        )
