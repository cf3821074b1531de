"""Episodes while they are played: a web socket that sends what an agent, or a visitor, does step by step.

    /api/v1/play/{domain}/{application}?variant=...&version=...

Every message to the browser is four bytes with the length of a JSON text (little-endian), that text, and a picture as
PNG or JPEG, which may be missing. The first one says what there is to play ("about"); each later one is a step.
Messages from the browser are JSON with some of: "training" and "episode" (as the task's inputs; a new episode begins),
"own" (whether the visitor acts), "action" (what the visitor does now, null for nothing), "paused", "again" (a new
episode).
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from layerwise.errors import InputError, LayerwiseError
from layerwise.tasks import Control
from layerwise.versions import Reference
from layerwise_app.web.api import ELSEWHERE, is_elsewhere
from layerwise_app.web.guard import explain

if TYPE_CHECKING:
    import numpy as np

    from layerwise.tasks.episodes.playing import Moment, Playing
    from layerwise.tasks.episodes.runner import EpisodeRunner
    from layerwise.workspace import Workspace

MOST_VIEWERS = 40
"""How many may watch or play at a time."""
FRAMES_PER_SECOND = 30.0
"""How many pictures a second are sent at most."""
LARGE_PICTURE = 100_000
"""Pictures with more pixels than this are sent as JPEG, which is faster to make."""
REST = 1.5
"""Seconds between the end of an episode and the next one of an agent."""


@dataclass
class Wishes:
    """What a visitor wants."""

    inputs: dict[str, Any] = field(default_factory=dict)
    is_own: bool = False
    action: int | None = None
    is_paused: bool = False
    begins: bool = True
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def update(self, message: Any, task: Control) -> None:
        """Take note of what came from the browser.

        Raises:
            InputError: It is nothing that can be wanted.
        """
        if not isinstance(message, dict):
            raise InputError("The message is not usable", expected="a JSON object", received=repr(message)[:100])
        fields = {item.name: item for item in task.inputs}
        for name in message.keys() & fields.keys():
            self.inputs[name] = fields[name].value(message[name])
            self.begins = True
        if "own" in message:
            self.is_own, self.begins = bool(message["own"]), True
        if "action" in message:
            action = message["action"]
            if not (action is None or (isinstance(action, int) and 0 <= action < max(len(task.actions), 1))):
                raise InputError("There is no such action", expected=", ".join(task.actions), received=repr(action))
            self.action = action
        self.is_paused = bool(message.get("paused", self.is_paused))
        self.begins = self.begins or bool(message.get("again"))
        self.changed.set()


class Stage:
    """The episode of one visitor.

    Args:
        runner: Of the agent.
    """

    def __init__(self, runner: EpisodeRunner) -> None:
        self.runner, self.task = runner, runner.task
        self.playing: Playing | None = None
        self._last_action = 0

    def about(self) -> dict[str, Any]:
        """What there is to play."""
        return {
            "about": {
                "actions": list(self.task.actions),
                "keys": list(self.task.keys),
                "resting": self.task.resting,
                "known": dict(self.task.known),
                "milestones": [{"epoch": item.epoch, **item.metrics} for item in self.runner.policies.milestones],
            }
        }

    def begin(self, inputs: dict[str, Any]) -> np.ndarray:
        """Begin an episode. Returns its first picture."""
        self.close()
        self.playing = self.runner.playing(inputs)
        self._last_action = self.task.resting or 0
        return self.playing.picture()

    def step(self, wishes: Wishes) -> tuple[dict[str, Any], list[np.ndarray]]:
        """Go on by one action. Returns what happened and what it looked like."""
        assert self.playing is not None
        own = None
        if wishes.is_own:
            own = wishes.action
            if own is None:
                own = self._last_action if self.task.resting is None else self.task.resting
            self._last_action = own
        moment = self.playing.step(own)
        return described(moment), self.playing.pictures()

    def close(self) -> None:
        if self.playing is not None:
            self.playing.close()
            self.playing = None


def described(moment: Moment) -> dict[str, Any]:
    """A step as JSON."""
    chances = moment.probabilities
    return {
        "total": moment.total,
        "length": moment.length,
        "ended": moment.ended,
        "own": moment.is_own,
        "value": round(moment.value, 3),
        "action": moment.action.tolist() if hasattr(moment.action, "tolist") else moment.action,
        "probabilities": None if chances is None else [round(float(chance), 3) for chance in chances],
    }


def packed(said: dict[str, Any], picture: np.ndarray | None = None) -> bytes:
    """A message to the browser."""
    text = json.dumps(said).encode()
    return len(text).to_bytes(4, "little") + text + (b"" if picture is None else picture_bytes(picture))


def picture_bytes(frame: np.ndarray) -> bytes:
    """A frame uint8 [height, width, 3] as a file."""
    from PIL import Image

    buffer = io.BytesIO()
    image = Image.fromarray(frame)
    if image.width * image.height > LARGE_PICTURE:
        image.save(buffer, format="JPEG", quality=85)
    else:
        image.save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()


def make_arena(workspace: Workspace) -> APIRouter:
    """The route of the web socket."""
    router, viewers = APIRouter(prefix="/api/v1"), set()

    @router.websocket("/play/{domain}/{application}")
    async def play(
        socket: WebSocket, domain: str, application: str, variant: str | None = None, version: str | None = None
    ) -> None:
        if is_elsewhere(socket):
            await socket.close(code=1008, reason=ELSEWHERE)
            return
        await socket.accept()
        viewers.add(socket)
        try:
            if len(viewers) > MOST_VIEWERS:
                raise LayerwiseError("Too many watch already", expected=f"{MOST_VIEWERS} at most", remedy="try later")
            await _show(workspace, socket, Reference(f"{domain}/{application}", variant, version))
        except WebSocketDisconnect:
            pass
        except Exception as error:  # an environment is anybody's code
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                await socket.send_bytes(packed({"error": explain(error)}))
                await socket.close()
        finally:
            viewers.discard(socket)

    return router


async def _show(workspace: Workspace, socket: WebSocket, reference: Reference) -> None:
    # Whatever holds the agent's weights is let go of at the end, by another thread, since that may wait.
    stack = contextlib.ExitStack()
    try:
        loaded = await asyncio.to_thread(stack.enter_context, workspace.predictor.looking_inside(reference))
        runner: Any = loaded.runner
        if not (isinstance(loaded.version.task, Control) and hasattr(runner, "playing")):
            raise InputError(f"{reference.name} plays nothing", expected="a model that acts in an environment")
        stage, wishes = Stage(runner), Wishes()
        stack.callback(stage.close)
        listening = asyncio.create_task(_listen(socket, wishes, stage.task))
        showing = asyncio.create_task(_play(socket, stage, wishes))
        done, waiting = await asyncio.wait([listening, showing], return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for task in done:
            task.result()
    finally:
        await asyncio.shield(asyncio.to_thread(stack.close))


async def _listen(socket: WebSocket, wishes: Wishes, task: Control) -> None:
    while True:
        text = await socket.receive_text()
        try:
            wishes.update(json.loads(text), task)
        except (ValueError, RecursionError):
            raise InputError("The message is not usable", expected="JSON", received=text[:100]) from None


async def _play(socket: WebSocket, stage: Stage, wishes: Wishes) -> None:
    await socket.send_bytes(packed(stage.about()))
    sent = 0.0
    while True:
        if wishes.begins:
            wishes.begins = False
            picture = await asyncio.to_thread(stage.begin, dict(wishes.inputs))
            await socket.send_bytes(packed({"began": True, "total": 0.0, "length": 0}, picture))
        playing = stage.playing
        assert playing is not None
        if wishes.is_paused or playing.ended:
            rests = REST if playing.ended and not wishes.is_own and not wishes.is_paused else None
            wishes.changed.clear()
            try:
                await asyncio.wait_for(wishes.changed.wait(), rests)
            except TimeoutError:
                wishes.inputs["episode"] = (int(wishes.inputs.get("episode") or 0) + 1) % 10_000
                wishes.begins = True
            continue
        begin = time.monotonic()
        said, pictures = await asyncio.to_thread(stage.step, wishes)
        for number, picture in enumerate(pictures, start=1):
            is_last = number == len(pictures)
            if time.monotonic() - sent >= 0.9 / FRAMES_PER_SECOND or (is_last and said["ended"]):
                sent = time.monotonic()
                content = await asyncio.to_thread(packed, said, picture)
                await socket.send_bytes(content)
            until = begin + number / len(pictures) / playing.frames_per_second
            await asyncio.sleep(max(0.0, until - time.monotonic()))
