"""What several models made of one input, as HTML: their answers beside each other, where they differ, what each
costs."""

from __future__ import annotations

import difflib
import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.beside import Reply, agreement, dissenting, in_short
from layerwise.comparing.leaderboard_tables import count_text, milliseconds
from layerwise.quota import in_bytes
from layerwise_app.values import data_url, is_picture, picture_file, plain
from layerwise_app.web.components import ANSWERS
from layerwise_app.web.markup import note, status

if TYPE_CHECKING:
    from layerwise.tasks.fields import Field

SHOWN_SIDE = 640
"""The longer side of a picture in an answer, in pixels."""
LONGEST_QUOTE = 48
"""What is said in more letters than this is counted rather than quoted."""
_DOING = {"waiting": "Waiting for the others …", "loading": "Loading the network …", "answering": "Answering …"}


def number(index: int) -> str:
    """The number of a model in its colour."""
    return f'<i class="lw-number lw-run-{index}">{index}</i>'


def replies_html(replies: Sequence[Reply]) -> str:
    """All replies, and above them how far they agree once all are there."""
    is_over = all(reply.state in ("timing", "done", "failed") for reply in replies)
    different = dissenting(replies) if is_over else set()
    first = next((text for reply in replies if (text := in_short(reply)) is not None), "")
    cards = "".join(
        _card(place, reply, is_different=place in different, first=first if different else "")
        for place, reply in enumerate(replies)
    )
    said = f'<p class="lw-agreement" role="status">{agreement_text(replies)}</p>' if is_over else ""
    return f'{said}<div class="lw-replies">{cards}</div>'


def agreement_text(replies: Sequence[Reply]) -> str:
    """How far the replies agree, as HTML; empty where that cannot be said."""
    groups = agreement(replies)
    count = sum(map(len, groups.values()))
    if count < 2:
        return ""
    if len(groups) == 1:
        (said,) = groups
        quoted = f" say <b>{html.escape(said)}</b>." if len(said) <= LONGEST_QUOTE else " say the same."
        return ("Both" if count == 2 else f"All {count}") + quoted
    if max(map(len, groups)) > LONGEST_QUOTE:
        return f"They say <b>{len(groups)}</b> different things; what differs from the first is marked."
    parts = [f"{len(places)} of {count}: <b>{html.escape(said)}</b>" for said, places in groups.items()]
    return f"They do not agree. {'; '.join(parts)}."


def _card(place: int, reply: Reply, *, is_different: bool, first: str) -> str:
    mark = '<span class="lw-badge lw-differing">differs</span>' if is_different else ""
    name = html.escape(reply.asked)
    head = f"<header>{number(place + 1)}<h3>{name}</h3>{mark}</header>"
    kind = "lw-reply lw-differs" if is_different else "lw-reply"
    return f'<article class="{kind}" aria-label="{name}">{head}{_body(reply, first)}{_facts(reply)}</article>'


def _body(reply: Reply, first: str) -> str:
    if reply.error:
        return note("It could not answer.", reply.error)
    if reply.answer is None:
        return status(_DOING.get(reply.state, ""))
    main, *others = [
        drawn for field in _shown(reply.outputs) if (drawn := _value(field, reply.answer.get(field.name), first))
    ] or [""]
    more = f"<details><summary>More of the answer</summary>{''.join(others)}</details>" if others else ""
    return main + more


def _shown(outputs: Sequence[Field]) -> list[Field]:
    if any(field.kind == "label-probabilities" for field in outputs):
        # The probabilities are headed by the most probable label already.
        return [field for field in outputs if not (field.kind == "text" and field.name == "label")]
    return list(outputs)


def _value(field: Field, value: Any, first: str) -> str:
    """A value of an answer; empty for none.

    Args:
        first: What the first model says, where others say something else.
    """
    if value is None or value in ("", []):
        return ""
    if field.kind in ANSWERS:
        return ANSWERS[field.kind](field.title, value)
    label = f'<p class="lw-label">{html.escape(field.title)}</p>'
    if field.kind in ("text", "choice"):
        return f'{label}<p class="lw-told">{marked(str(value), first) if first else html.escape(str(value))}</p>'
    if field.kind == "number":
        return f'{label}<p class="lw-told"><b>{value:.7g}</b></p>'
    if field.kind in ("image", "mask"):
        return f'{label}<img class="lw-shown-picture" src="{_picture_url(value)}" alt="{html.escape(field.title)}">'
    if field.kind in ("file", "audio", "video", "board", "conversation"):
        return ""  # on the page of the model
    return f"{label}<pre>{html.escape(json.dumps(plain(value), indent=1, ensure_ascii=False))}</pre>"


def marked(text: str, first: str) -> str:
    """A text as HTML, with what is not in the first one marked.

    Example:
        >>> marked("a small red shoe", "a red boot")
        'a <mark>small</mark> red <mark>shoe</mark>'
    """
    words, known = text.split(), first.split()
    parts = []
    for kind, _, _, start, stop in difflib.SequenceMatcher(None, known, words, autojunk=False).get_opcodes():
        piece = html.escape(" ".join(words[start:stop]))
        if piece:
            parts.append(piece if kind == "equal" else f"<mark>{piece}</mark>")
    return " ".join(parts)


def _picture_url(value: Any) -> str:
    from layerwise.tasks.images import load_image

    if isinstance(value, Mapping):
        return data_url(value["content"], Path(str(value["name"])).suffix)
    picture = (value if is_picture(value) else load_image(value)).copy()
    picture.thumbnail((SHOWN_SIDE, SHOWN_SIDE))
    return data_url(*picture_file(picture))


def _facts(reply: Reply) -> str:
    """What an answer costs."""
    facts = []
    if reply.seconds is not None and not reply.error:
        often = f"median of {reply.num_timed}" if reply.num_timed > 1 else "the first"
        hint = "measuring …" if reply.state == "timing" else often
        facts.append(("Time", f"<b>{milliseconds(reply.seconds)} ms</b> <small>{hint}</small>"))
    if reply.footprint is not None:
        takes = reply.footprint
        if takes.num_parameters is not None:
            facts.append(("Parameters", f"<b>{count_text(takes.num_parameters)}</b>"))
        if takes.weights_bytes:
            facts.append(("Weights", f"<b>{in_bytes(takes.weights_bytes)}</b>"))
        facts.append(("Ran on", html.escape(takes.where)))
    if reply.reference:
        facts.append(("Version", f"<code>{html.escape(reply.reference.partition('@')[2])}</code>"))
    rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts)
    return f"<dl>{rows}</dl>" if rows else ""
