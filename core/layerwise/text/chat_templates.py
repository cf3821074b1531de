"""Conversations as one text, in the way that a network was taught: chat templates in Jinja, which published networks
bring with them. They are rendered in a sandbox, since they are a stranger's code.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Never

from layerwise.errors import SpecError

if TYPE_CHECKING:
    from jinja2 import Template

USER_TOKEN, ASSISTANT_TOKEN = "<user>", "<assistant>"
"""What turns begin with in the plain template."""
LARGEST_PRODUCT = 1_000_000
"""Of a text and a number in a template, in characters."""
PLAIN = (
    "{% for message in messages if message.role != 'system' %}"
    f"{{{{ '{USER_TOKEN}' if message.role == 'user' else '{ASSISTANT_TOKEN}' }}}}"
    "{{ message.content }}{{ eos_token }}"
    "{% endfor %}"
    f"{{% if add_generation_prompt %}}{ASSISTANT_TOKEN}{{% endif %}}"
)
"""The template of networks that are trained here from scratch."""


def render(
    template: str, messages: Sequence[Mapping[str, str]], *, begins_reply: bool, tokens: Mapping[str, str]
) -> str:
    """A conversation as one text.

    Args:
        template: The chat template.
        messages: What was said, each with "role" and "content".
        begins_reply: Whether the beginning of a reply follows.
        tokens: The special tokens that templates name: "bos_token", "eos_token".

    Raises:
        SpecError: The template cannot be used, or refuses these messages.

    Example:
        >>> render(PLAIN, [{"role": "user", "content": "Hi"}], begins_reply=True, tokens={"eos_token": "</s>"})
        '<user>Hi</s><assistant>'
    """
    try:
        return _compiled(template).render(messages=[*messages], add_generation_prompt=begins_reply, **tokens)
    except SpecError:
        raise
    except Exception as error:  # whatever a stranger's code does wrong
        raise SpecError("The chat template cannot be used", received=f"{type(error).__name__}: {error}") from error


@functools.lru_cache(maxsize=16)
def _compiled(template: str) -> Template:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Environment(ImmutableSandboxedEnvironment):
        # Jinja limits `range`, and not what a text or a number is multiplied with.
        intercepted_binops = frozenset(("*", "**"))

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            _check_operands(operator, left, right)
            return super().call_binop(context, operator, left, right)

    # As the templates of published networks expect it.
    environment = Environment(trim_blocks=True, lstrip_blocks=True)
    environment.globals |= {"raise_exception": _refuse, "strftime_now": _now}
    return environment.from_string(template)


def _check_operands(operator: str, left: Any, right: Any) -> None:
    """Refuse what would fill the memory: "a" * 10 ** 12."""
    sizes = [len(item) for item in (left, right) if hasattr(item, "__len__")]
    numbers = [abs(item) for item in (left, right) if isinstance(item, int | float)]
    is_large = math.prod([*sizes, *numbers]) > LARGEST_PRODUCT if operator == "*" else max(numbers, default=0) > 64
    if is_large:
        raise SpecError("The chat template computes something too large")


def _refuse(reason: Any) -> Never:
    raise SpecError("The chat template refuses this conversation", received=str(reason))


def _now(pattern: str) -> str:
    return datetime.now().astimezone().strftime(pattern)
