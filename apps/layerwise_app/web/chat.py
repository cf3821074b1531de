"""The demo of a model that talks: the conversation, what to say next, and what the last reply rests on."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gradio as gr

from layerwise.tasks.conversation import ASSISTANT, USER
from layerwise.teaching.lessons import Lesson
from layerwise_app.web.components import table_html
from layerwise_app.web.demo import IN_USE, chosen, draw_choice, draw_details, said_meanwhile, version_choice
from layerwise_app.web.fetching import FetchPart, untrained
from layerwise_app.web.gallery import draw_gallery
from layerwise_app.web.guard import QUIET, explain, guard
from layerwise_app.web.inputs import Input, draw_inputs, read_inputs
from layerwise_app.web.inside import Inside
from layerwise_app.web.lessons import address
from layerwise_app.web.markup import link, markup, note, status
from layerwise_app.web.site import Site
from layerwise_app.web.streaming import thinned
from layerwise_app.web.visuals import load_examples

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec
    from layerwise.versions import Reference

LONGEST_MESSAGE = 20_000
"""How many characters can be written at a time."""
FORMULAS = [{"left": "$$", "right": "$$", "display": True}, {"left": "$", "right": "$", "display": False}]
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]+`)", re.DOTALL)
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
Messages = list[dict[str, str]]


def as_text(message: str) -> str:
    """What a visitor wrote as Markdown that shows it as it is: nothing in it is markup, a formula or a tag."""
    plain = _PUNCTUATION.sub(r"\\\1", message).replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\\$", "&#36;")
    return _INDENT.sub(lambda match: "\N{NO-BREAK SPACE}" * len(match.group()), plain)


def as_markdown(reply: str) -> str:
    """What a network wrote, as Markdown without tags and pictures: nothing in it is asked for elsewhere."""
    parts = _CODE.split(reply)
    # Every second part is code, which is shown as it is.
    parts[::2] = [part.replace("<", "&lt;").replace("![", "!\\[") for part in parts[::2]]
    return "".join(parts)


def shown(messages: Messages) -> Messages:
    """A conversation as the page shows it."""
    show = {USER: as_text, ASSISTANT: as_markdown}
    return [{"role": turn["role"], "content": show[turn["role"]](turn["content"])} for turn in messages]


@dataclass
class Turn:
    """A reply that is being written.

    Args:
        stopped: Set when no more of it is wanted.
        is_unwanted: Whether what there is of it is not wanted either.
    """

    stopped: threading.Event = field(default_factory=threading.Event)
    is_unwanted: bool = False


@dataclass(frozen=True)
class Chat:
    """What the demo of a conversation is made of. `said` keeps the messages as they were written."""

    site: Site
    spec: ModelSpec
    variant: gr.Radio
    version: gr.Dropdown
    settings: tuple[Input, ...]
    conversation: gr.Chatbot
    said: gr.State
    message: gr.Textbox
    send: gr.Button
    stop: gr.Button
    status: gr.HTML
    weights: FetchPart
    sources: gr.HTML
    inside: Inside
    panel: gr.HTML
    turns: dict[str, Turn] = field(default_factory=dict)

    @property
    def asked(self) -> list[Any]:
        """The components whose values a request is made of, without the message."""
        return [self.variant, self.version, self.said, *(part for item in self.settings for part in item.components)]

    @property
    def answered(self) -> list[Any]:
        """The components that a reply fills."""
        return [self.message, self.conversation, self.said, self.status, self.sources, self.panel, self.send, self.stop]

    def say(
        self, request: gr.Request, message: str, variant: str, version: str, said: Messages, *settings: Any
    ) -> Iterator[list[Any]]:
        """Say something, and show the reply as it grows."""
        if not message or not message.strip():
            yield self._values()
            return
        yield from self._reply(request, chosen(self.spec, variant, version), [*said], message, settings)

    def again(
        self, request: gr.Request, variant: str, version: str, said: Messages, *settings: Any
    ) -> Iterator[list[Any]]:
        """Ask once more what was asked last."""
        before = [*said]
        while before and before[-1]["role"] != USER:
            before.pop()
        if not before:
            yield self._values()
            return
        message = before.pop()["content"]
        yield from self._reply(request, chosen(self.spec, variant, version), before, message, settings)

    def _reply(
        self, request: gr.Request, reference: Reference, before: Messages, message: str, settings: Sequence[Any]
    ) -> Iterator[list[Any]]:
        if missing := untrained(self.site, reference):
            yield self._values(status=missing)
            return
        said = [*before, {"role": USER, "content": message}]
        meanwhile = status(said_meanwhile(self.site, reference) or "Writing …")
        yield self._values("", said, meanwhile, "", busy=True)
        session = str(request.session_hash)
        turn = self.turns[session] = Turn()
        reply: dict[str, Any] = {}
        try:
            inputs = {"message": message, "history": before, **read_inputs(self.settings, settings)}
            panel: Any = self.inside.remember(reference, inputs)
            for reply in thinned(self.site.predictor.stream(reference, inputs, session, turn.stopped)):
                if turn.stopped.is_set():
                    break
                yield self._values(said=_with(said, reply), status=meanwhile, panel=panel, busy=True)
                panel = gr.skip()
        except Exception as error:  # a model is a plugin's code
            # What was said stays, to be changed and said again.
            yield self._values(message, _with(before, reply), note("That did not work.", explain(error)))
            return
        finally:
            self.turns.pop(session, None)
        if turn.is_unwanted:
            yield self.begun()
            return
        mind = note("Mind this.", str(reply["note"])) if reply.get("note") else ""
        yield self._values(said=_with(said, reply), status=mind, sources=self._sources(reply.get("sources") or ()))

    def stop_writing(self, request: gr.Request) -> None:
        """Write no more; what there is stays."""
        if turn := self.turns.get(str(request.session_hash)):
            turn.stopped.set()

    def begin_anew(self, request: gr.Request) -> list[Any]:
        """Forget what was said. The values of `answered`."""
        if turn := self.turns.get(str(request.session_hash)):
            turn.is_unwanted = True
            turn.stopped.set()
        return self.begun()

    def _values(
        self,
        message: Any = None,
        said: Messages | None = None,
        status: Any = None,
        sources: Any = None,
        panel: Any = None,
        *,
        busy: bool = False,
    ) -> list[Any]:
        """The values of `answered`; None leaves what is there."""
        kept = [gr.skip() if value is None else value for value in (message, status, sources, panel)]
        talk = [gr.skip(), gr.skip()] if said is None else [shown(said), said]
        buttons = [gr.update(visible=not busy), gr.update(visible=busy)]
        return [kept[0], *talk, *kept[1:], *buttons]

    def begun(self) -> list[Any]:
        """The values of `answered` for a conversation that has not begun."""
        return self._values("", [], "", "")

    def _sources(self, rows: Sequence[Mapping[str, Any]]) -> str:
        """What a reply rests on; titles of lessons are links to them."""
        lessons = {item.title: item.name for item in self.site.snapshot.lessons if isinstance(item, Lesson)}

        def show(text: str) -> str:
            return link(address(lessons[text]), text) if text in lessons else html.escape(text.replace("**", ""))

        return table_html("What it rests on", rows, show)


def _with(said: Messages, reply: Mapping[str, Any]) -> Messages:
    text = str(reply.get("reply") or "")
    return [*said, {"role": ASSISTANT, "content": text}] if text else said


def draw_chat(site: Site, spec: ModelSpec) -> None:
    """Draw the demo of a conversation."""
    task: Any = spec.task
    examples = load_examples(spec)
    with gr.Column(elem_classes="lw-model lw-chat"):
        markup(f'<p class="lw-summary">{html.escape(spec.card.summary)}</p>')
        gallery = draw_gallery(examples, task.inputs, spec.name) if examples else None
        conversation = gr.Chatbot(
            label="Conversation",
            show_label=False,
            height="min(460px, 60vh)",
            latex_delimiters=FORMULAS,
            allow_tags=False,
            buttons=[],
            feedback_options=None,
            layout="bubble",
            placeholder="Write a message, or choose an example.",
            elem_classes="lw-conversation",
        )
        said = gr.State([])
        with gr.Row(equal_height=True, elem_classes="lw-say"):
            message = gr.Textbox(
                label="Message",
                show_label=False,
                placeholder="Write a message; Enter sends it",
                lines=1,
                max_lines=8,
                max_length=LONGEST_MESSAGE,
                scale=5,
            )
            send = gr.Button("Send", variant="primary", scale=1, min_width=90)
            stop = gr.Button("Stop", variant="stop", scale=1, min_width=90, visible=False)
        text = markup(elem_classes="lw-said")
        weights = FetchPart(site, spec)
        weights.draw()
        sources = markup(elem_classes="lw-answers")
        settings = draw_inputs(task.settings)
        variant, version = draw_choice(spec)
        inside = Inside(site)
        panel = inside.draw()
        draw_details(site, spec)
    chat = Chat(
        site,
        spec,
        variant,
        version,
        settings,
        conversation,
        said,
        message,
        send,
        stop,
        text,
        weights,
        sources,
        inside,
        panel,
    )
    _wire(chat, gallery, [str(example.inputs.get("message", "")) for example in examples])


def _wire(chat: Chat, gallery: gr.HTML | None, messages: Sequence[str]) -> None:
    def use(
        request: gr.Request, index: str, variant: str, version: str, said: Messages, *settings: Any
    ) -> Iterator[list[Any]]:
        yield from chat.say(request, messages[int(index)], variant, version, said, *settings)

    say: Any = {"fn": guard(chat.say), "inputs": [chat.message, *chat.asked], "outputs": chat.answered, **QUIET}
    chat.send.click(**say)
    chat.message.submit(**say)
    chat.conversation.retry(guard(chat.again), chat.asked, chat.answered, **QUIET)
    if gallery is not None:
        gallery.select(guard(use), [gallery, *chat.asked], chat.answered, **QUIET)
    # Not queued behind the reply that it is to stop.
    chat.stop.click(guard(chat.stop_writing), queue=False, **QUIET)
    chat.conversation.clear(guard(chat.begin_anew), None, chat.answered, queue=False, **QUIET)

    weights, others = chat.weights, [chat.version, chat.status, chat.panel]

    def opened(variant: str) -> list[Any]:
        reference = chosen(chat.spec, variant, IN_USE)
        choice = version_choice(chat.site, chat.spec, variant)
        return [*weights.look(variant), choice, untrained(chat.site, reference), chat.inside.remember(reference)]

    def changed(request: gr.Request, variant: str) -> list[Any]:
        weights.turn_to(request, variant)
        return opened(variant)

    def fetched(request: gr.Request, variant: str) -> Iterator[list[Any]]:
        if (yield from weights.fetch(request, variant, len(others))):
            yield opened(variant)

    first = chat.spec.variants[0].name
    shown_first = [*weights.components, *others]
    # Without triggers and inputs: when somebody opens the page.
    gr.on(fn=guard(lambda: opened(first)), outputs=shown_first, **QUIET)
    weights.button.click(guard(fetched), chat.variant, shown_first, **QUIET)
    chat.variant.input(guard(changed), chat.variant, shown_first, **QUIET)
