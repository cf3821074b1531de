"""Those who ask, in a process of their own, for benchmarks/serving.py.

    python benchmarks/serving_load.py PLAN.json

Prints what happened as JSON. A plan names a kind of load and its numbers:

    {"kind": "clients", "way": "layerwise" or "gradio", "url": ..., "clients": 32, "seconds": 10, ...}
    {"kind": "visitors", "url": ..., "visitors": 200, "seconds": 600, ...}
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import random
import re
import secrets
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

Ask = Callable[[httpx.AsyncClient, int], Awaitable[None]]
PATIENCE = 120.0
PAGES = ("", "vision", "language", "learn")


class WrongAnswerError(Exception):
    """Something came that is no answer."""


def layerwise_asks(url: str, model: str, pictures: list[str]) -> Ask:
    """A request to the HTTP API, with a picture in it."""
    bodies = [{"inputs": {"image": f"data:image/png;base64,{picture}"}} for picture in pictures]

    async def ask(client: httpx.AsyncClient, number: int) -> None:
        answer = await client.post(f"{url}/api/v1/predict/{model}", json=bodies[number % len(bodies)])
        if answer.status_code != httpx.codes.OK or "answer" not in answer.json():
            raise WrongAnswerError(f"{answer.status_code}: {answer.text[:200]}")

    return ask


async def gradio_asks(url: str, pictures: list[str]) -> Ask:
    """A request to an app of Gradio, as its documentation shows it for curl: a post, and a stream that ends with the
    answer. The pictures are sent before, so that they cost it nothing."""
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        files = [("files", (f"{i}.png", base64.b64decode(p), "image/png")) for i, p in enumerate(pictures)]
        paths = (await client.post(f"{url}/gradio_api/upload", files=files)).json()
    inputs = [{"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}]} for path in paths]

    async def ask(client: httpx.AsyncClient, number: int) -> None:
        posted = await client.post(f"{url}/gradio_api/call/predict", json=inputs[number % len(inputs)])
        if posted.status_code != httpx.codes.OK:
            raise WrongAnswerError(f"{posted.status_code}: {posted.text[:200]}")
        answer = await client.get(f"{url}/gradio_api/call/predict/{posted.json()['event_id']}")
        if "event: complete" not in answer.text:
            raise WrongAnswerError(answer.text[:200])

    return ask


async def load_of_clients(plan: dict[str, Any]) -> dict[str, Any]:
    """So many clients, each of which asks again as soon as it is answered."""
    if plan["way"] == "layerwise":
        ask = layerwise_asks(plan["url"], plan["model"], plan["pictures"])
    else:
        ask = await gradio_asks(plan["url"], plan["pictures"])
    latencies: list[float] = []
    errors: Counter[str] = Counter()
    numbers = iter(range(plan.get("first", 0), sys.maxsize))
    begin = time.perf_counter()

    async def go_on(client: httpx.AsyncClient) -> None:
        while (since := time.perf_counter()) < begin + plan["seconds"]:
            try:
                await ask(client, next(numbers))
            except (httpx.HTTPError, WrongAnswerError, ValueError) as error:
                errors[f"{type(error).__name__} {error}"[:200]] += 1
            else:
                latencies.append(time.perf_counter() - since)

    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(timeout=PATIENCE, limits=limits) as client:
        await asyncio.gather(*(go_on(client) for _ in range(plan["clients"])))
    return {"seconds": time.perf_counter() - begin, "latencies": latencies, "errors": dict(errors)}


class Visitors:
    """Visitors who open a page, think, try an example or something of their own, think, and at last leave."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.url, self.think, self.random = plan["url"], plan["think"], random.Random(plan.get("seed", 0))
        self.own: list[tuple[str, dict[str, Any]]] = [(name, inputs) for name, inputs in plan["own"]]
        self.seconds, self.count = plan["seconds"], plan["visitors"]
        self.examples: list[dict[str, Any]] = []
        self.latencies: dict[str, list[float]] = {"page": [], "own": []}
        self.errors: Counter[str] = Counter()

    async def run(self) -> dict[str, Any]:
        """Let them all come, and say what happened."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        async with httpx.AsyncClient(timeout=PATIENCE, limits=limits) as client:
            self.examples = await self._small_examples(client)
            end = time.perf_counter() + self.seconds
            visits = [self._visits(client, end, number) for number in range(self.count)]
            await asyncio.gather(*visits)
        return {"latencies": self.latencies, "errors": dict(self.errors)}

    async def _visits(self, client: httpx.AsyncClient, end: float, number: int) -> None:
        # Not all in the same second.
        await asyncio.sleep(self.random.uniform(0, self.think))
        while time.perf_counter() < end:
            page = PAGES[number % len(PAGES)]
            await self._timed("page", self._open(client, page))
            session = secrets.token_hex(6)
            for _ in range(self.random.randint(3, 8)):
                await asyncio.sleep(self.random.uniform(0.2, 2) * self.think)
                if time.perf_counter() > end:
                    return
                if self.examples and self.random.random() < 0.5:
                    example = self.random.choice(self.examples)
                    await self._timed(example["name"], self._try(client, example, session))
                else:
                    await self._timed("own", self._ask(client, *self.random.choice(self.own)))

    async def _timed(self, kind: str, asking: Awaitable[None]) -> None:
        since = time.perf_counter()
        try:
            await asking
        except (httpx.HTTPError, WrongAnswerError, ValueError) as error:
            self.errors[f"{kind}: {type(error).__name__} {error}"[:300]] += 1
        else:
            self.latencies.setdefault(kind, []).append(time.perf_counter() - since)

    async def _open(self, client: httpx.AsyncClient, page: str) -> None:
        answer = await client.get(f"{self.url}/{page}")
        if answer.status_code != httpx.codes.OK:
            raise WrongAnswerError(f"{answer.status_code} for /{page}")

    async def _ask(self, client: httpx.AsyncClient, model: str, inputs: dict[str, Any]) -> None:
        if "image" in inputs:  # a picture that nobody has sent before
            inputs = {"image": inputs["image"][self.random.randrange(len(inputs["image"]))]}
        elif "text" in inputs:
            inputs = {"text": f"{inputs['text']} {self.random.random()}"}
        answer = await client.post(f"{self.url}/api/v1/predict/{model}", json={"inputs": inputs})
        if answer.status_code != httpx.codes.OK:
            raise WrongAnswerError(f"{answer.status_code} of {model}: {answer.text[:200]}")

    async def _try(self, client: httpx.AsyncClient, example: dict[str, Any], session: str) -> None:
        """What a browser does when an example of a page is clicked."""
        prefix = f"{self.url}{example['prefix']}"
        data = [str(self.random.randrange(example["count"])), *example["choice"]]
        body = {"data": data, "fn_index": example["event"], "session_hash": session, "trigger_id": example["trigger"]}
        joined = await client.post(f"{prefix}/queue/join", json=body)
        if joined.status_code != httpx.codes.OK:
            raise WrongAnswerError(f"{joined.status_code}: {joined.text[:200]}")
        async with client.stream("GET", f"{prefix}/queue/data", params={"session_hash": session}) as lines:
            async for line in lines.aiter_lines():
                message = json.loads(line[5:]) if line.startswith("data:") else {}
                if message.get("msg") == "process_completed":
                    if not message.get("success") or "That did not work" in line:
                        raise WrongAnswerError(line[:300])
                    return
        raise WrongAnswerError("the stream ended without an answer")

    async def _small_examples(self, client: httpx.AsyncClient) -> list[dict[str, Any]]:
        """The galleries of the pages whose models answer within a second when they are in memory."""
        found = []
        for page in PAGES[1:3]:
            html = (await client.get(f"{self.url}/{page}")).text
            for example in galleries(html, page):
                with contextlib.suppress(WrongAnswerError, httpx.HTTPError):
                    await self._try(client, example, secrets.token_hex(6))
                    since = time.perf_counter()
                    await self._try(client, example, secrets.token_hex(6))
                    if time.perf_counter() - since < 1:
                        found.append(example)
        return found


def galleries(html: str, page: str) -> list[dict[str, Any]]:
    """The galleries of examples on a page: which event a click makes, and with which network."""
    match = re.search(r"window\.gradio_config = (\{.*?\});\s*</script>", html, re.DOTALL)
    if match is None:
        raise WrongAnswerError("the page has no config")
    config = json.loads(match[1])
    components = {component["id"]: component["props"] for component in config["components"]}
    found = []
    for event in config["dependencies"]:
        trigger = next((target[0] for target in event["targets"] if target[1] == "select"), None)
        props = components.get(trigger, {})
        is_gallery = "lw-examples" in (props.get("elem_classes") or [])
        if not is_gallery or len(event["inputs"]) != 3:  # a conversation has more
            continue
        _, variant, version = event["inputs"]
        found.append(
            {
                "name": f"example {len(found) + 1} of {page}",
                "event": event["id"],
                "trigger": trigger,
                "prefix": config["api_prefix"],
                "count": str(props.get("examples", "")).count("data-index=") or 1,
                "choice": [components[variant]["value"], components[version]["value"]],
            }
        )
    return found


async def main() -> None:
    """Do what the plan says."""
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    found = await (Visitors(plan).run() if plan["kind"] == "visitors" else load_of_clients(plan))
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main())
