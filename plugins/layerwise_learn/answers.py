"""How Python answers the script of a page."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from typing import Any

from layerwise.errors import UNEXPECTED, InputError, LayerwiseError

logger = logging.getLogger(__name__)

Answer = Callable[[Any], dict[str, Any]]
"""Given a JSON value, answers with one."""


def answering(function: Answer) -> Answer:
    """`function`, which takes an object, with whatever is wrong with a request as the answer {"error": a sentence}."""

    @functools.wraps(function)
    def answer(request: Any) -> dict[str, Any]:
        try:
            if not isinstance(request, Mapping):
                raise InputError("The request cannot be read", expected="an object", received=type(request).__name__)
            return function(request)
        except LayerwiseError as error:
            return {"error": str(error)}
        except Exception:
            logger.exception("%s could not answer", function.__qualname__)
            return {"error": UNEXPECTED}

    return answer
