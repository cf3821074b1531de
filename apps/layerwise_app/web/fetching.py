"""Where a network has no weights yet: what is said instead of an answer, and the button that gets published ones."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from layerwise.errors import NotFoundError
from layerwise.fetching import Progress, fetch
from layerwise.quota import in_bytes
from layerwise.versions import Reference
from layerwise_app.web.guard import explain
from layerwise_app.web.markup import empty, link, markup, note, status

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec, PublishedWeights
    from layerwise_app.web.site import Site

FETCHING = "Getting the weights. This is done once …"
SECONDS_BETWEEN = 0.5
"""How often a page says how much is here."""


def untrained(site: Site, reference: Reference) -> str:
    """A note when nothing is there that could answer: no weights yet, or no such model any more."""
    try:
        spec = site.workspace.registry.snapshot().model(reference.name)
    except NotFoundError as error:
        return note("This page is older than the registry.", str(error))
    if not _is_missing(site, reference):
        return ""
    name = f"{reference.name}:{reference.variant}"
    published = spec.variant(reference.variant).published
    if published is not None:
        return published_html(name, published)
    hint = f"{link(f'./train?model={name}', 'Train it')}, then it answers here."
    return empty(f"The network {name} has not been trained yet.", hint)


def _is_missing(site: Site, reference: Reference) -> bool:
    try:
        site.predictor.version(reference)
    except NotFoundError:
        return True
    return False


def published_html(name: str, published: PublishedWeights) -> str:
    """What is said of weights that can be fetched: how large they are, where they are, and their licence.

    Args:
        name: The model with its variant.
    """
    facts = f"{in_bytes(published.size)} from {published.source}, licence {published.licence}"
    command = f"<code>layerwise fetch {html.escape(name)}</code>"
    return empty(
        f"The weights of the network {name} are not on this machine yet.",
        f"They are published: {html.escape(facts)}. On the command line: {command}",
    )


class FetchPart:
    """The button that gets the published weights of a model, and what is shown meanwhile. Visitors who press it while
    they are being fetched wait for the same.

    Args:
        site: What the page is drawn from.
        spec: The model.
    """

    def __init__(self, site: Site, spec: ModelSpec) -> None:
        self.site, self.spec = site, spec
        self._lock = threading.Lock()
        self._fetching: dict[str, _Fetching] = {}
        self._visits: list[_Visit] = []

    def draw(self) -> None:
        """Draw the components, hidden until `look` has seen that they are wanted."""
        self.said = markup(elem_classes="lw-said")
        self.button = gr.Button("Get the weights", variant="primary", visible=False, elem_classes="lw-for-editors")

    @property
    def components(self) -> list[Any]:
        """What `look` gives values for."""
        return [self.said, self.button]

    def look(self, variant: str) -> list[Any]:
        """The values of `components` for a network: a button where published weights are missing."""
        is_wanted = self.spec.variant(variant).published is not None and self._is_missing(variant)
        return ["", gr.update(visible=is_wanted)]

    def turn_to(self, request: gr.Request, variant: str) -> None:
        """A visitor looks at another network: what comes for the former one is not shown to them any more."""
        for visit in list(self._visits):
            if visit.session == request.session_hash:
                visit.looking_at = variant

    def fetch(self, request: gr.Request, variant: str, others: int) -> Generator[list[Any], None, bool]:
        """Get the weights of a network, unless they have come since the page was opened.

        Args:
            others: How many components of the page follow.

        Returns:
            The values of `components` and of the others, again and again; and whether the visitor still looks at this
            network, which has its weights.
        """
        skipped, failure = [gr.skip()] * others, ""
        visit = _Visit(request.session_hash, variant)
        self._visits.append(visit)
        try:
            for said in self._steps(variant):
                if visit.looking_at != variant:
                    break
                yield [said, gr.update(visible=False), *skipped]
        except Exception as error:  # what reads them is a plugin's code
            failure = note("That did not work.", explain(error))
        finally:
            self._visits.remove(visit)
        is_here = visit.looking_at == variant
        # Also for those who look at another network: what was shown last may have come after they turned to it.
        _, button = self.look(visit.looking_at)
        yield [failure if is_here else "", button, *skipped]
        return is_here and not failure

    def _steps(self, variant: str) -> Iterator[str]:
        yield status(FETCHING)
        if not self._is_missing(variant):
            return
        with self._lock:
            fetching = self._fetching.get(variant)
            if fetching is None or fetching.result.done():
                versions = self.site.workspace.versions
                fetching = _Fetching(lambda progress: fetch(versions, self.spec, variant, progress=progress))
                self._fetching[variant] = fetching
        while not wait([fetching.result], SECONDS_BETWEEN).done:
            yield fetching.html
        fetching.result.result()

    def _is_missing(self, variant: str) -> bool:
        return _is_missing(self.site, Reference(self.spec.name, variant))


@dataclass(eq=False)
class _Visit:
    """Somebody who waits for weights."""

    session: str | None
    looking_at: str


class _Fetching:
    """Weights on their way, which come also when the one who asked for them has left.

    Args:
        work: Gets them.
    """

    def __init__(self, work: Callable[[Progress], Any]) -> None:
        self.result: Future[None] = Future()
        self.html = status(FETCHING)
        threading.Thread(target=self._run, args=(work,), name="fetch", daemon=True).start()

    def _run(self, work: Callable[[Progress], Any]) -> None:
        try:
            work(self._tell)
        except BaseException as error:
            self.result.set_exception(error)
        else:
            self.result.set_result(None)

    def _tell(self, file: str, done: int, total: int) -> None:
        bar = f'<progress max="{total}" value="{done}" aria-label="{FETCHING}"></progress>' if total else ""
        of = f" of {in_bytes(total)}" if total else ""
        said = f"{html.escape(file)} <b>{in_bytes(done)}</b>{of}"
        self.html = f'<div class="lw-progress" role="group">{bar}<p>{said}</p></div>'
