"""The panel "Look inside" below a demo: the looks into the network that answers, at the input that was asked about."""

from __future__ import annotations

import html
import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise import Experiment
from layerwise.errors import InputError
from layerwise.snapshot import named
from layerwise_app.web.experiments import ExperimentCalls, experiment_html
from layerwise_app.web.markup import status

if TYPE_CHECKING:
    import gradio as gr

    from layerwise.inspection import Inspector, Look
    from layerwise.versions import Reference
    from layerwise_app.web.site import Site

SCRIPT = Path(__file__).with_name("inside.js")
KEPT_SITTINGS = 64
"""How many inputs that visitors asked about are remembered."""
_TEMPLATE = """
<section class="lw-inside" aria-label="Look inside">
  <button type="button" class="lw-toggle" data-part="toggle" aria-expanded="false">Look inside</button>
  <div data-part="inside" hidden>
    <div data-part="waiting" hidden>{waiting}</div>
    <div class="lw-note" role="alert" data-part="problem" hidden></div>
    <div data-part="looks"></div>
    <div data-part="look"></div>
  </div>
</section>
"""


@dataclass(frozen=True)
class Sitting:
    """What was asked last: the model, and the input if there was one that could be read."""

    reference: Reference
    inputs: Mapping[str, Any] | None = None


class Inside(ExperimentCalls):
    """What the panel asks for. Each call is given a JSON value and answers with one; those about a look take what
    `open` takes."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.site = site
        self._sittings: OrderedDict[str, Sitting] = OrderedDict()
        self._lock = threading.Lock()

    def draw(self) -> gr.HTML:
        """Draw the panel. Its value is a token that `remember` gave."""
        return self.markup(_TEMPLATE.format(waiting=status("Opening the network …")), SCRIPT, self.open, self.choose)

    def remember(self, reference: Reference, inputs: Mapping[str, Any] | None = None) -> str:
        """A token for what was asked."""
        token = secrets.token_urlsafe(12)
        with self._lock:
            self._sittings[token] = Sitting(reference, inputs)
            while len(self._sittings) > KEPT_SITTINGS:
                self._sittings.popitem(last=False)
        return token

    def open(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The looks that apply to the network, and which of them is shown first.

        Args:
            asked: `sitting`, a token; `network`, one of several, and `look`, the one that was shown before, or None.

        Raises:
            LayerwiseError: The network cannot be opened, or has no layers to see.
        """
        sitting, inspector, network, looks = self._looked_into(asked)
        shown = [look for look in looks.values() if sitting.inputs is not None or not look.needs_input]
        chosen = looks.get(str(asked.get("look")), shown[0])
        return {"looks": _choice_html(inspector, network, list(looks.values())), "look": chosen.name}

    def choose(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """A look with its settings; what is quick is shown at once.

        Args:
            asked: As for `open`, and `settings`.

        Raises:
            LayerwiseError: The look cannot be shown.
        """
        return {"html": experiment_html(self.experiment(asked), asked.get("settings") or {})}

    def _looked_into(self, asked: Mapping[str, Any]) -> tuple[Sitting, Inspector, str, dict[str, Look]]:
        """What was asked, the inspector of what answered, the network that is meant, and the looks into it by name."""
        from layerwise.inspection import open_inspector

        with self._lock:
            sitting = self._sittings.get(str(asked.get("sitting")))
        if sitting is None:
            raise InputError("What was asked has been forgotten", remedy="ask the network again")
        inspector = open_inspector(self.site.workspace, sitting.reference)
        network = asked.get("network")
        network = network if network in inspector.networks else inspector.networks[0]
        return sitting, inspector, network, {look.name: look for look in inspector.looks(network)}

    def experiment(self, asked: Mapping[str, Any]) -> Experiment:
        """A look at what was asked, as an experiment whose settings can be turned."""
        sitting, inspector, network, looks = self._looked_into(asked)
        look = named(looks, str(asked.get("look")), "look", "open the panel again")
        return Experiment(
            name=look.name,
            title=look.title,
            text=look.text,
            settings=look.settings,
            show=lambda settings: inspector.look(look.name, sitting.inputs, settings, network),
            button="Compute again" if look.is_long else "",
        )


def _choice_html(inspector: Inspector, network: str, looks: list[Look]) -> str:
    """The looks, to be chosen from, and the networks where there are several."""
    networks = ""
    if len(inspector.networks) > 1:
        options = "".join(
            f'<option value="{html.escape(name)}"{" selected" if name == network else ""}>{html.escape(name)}</option>'
            for name in inspector.networks
        )
        networks = f'<label class="lw-inside-network">Network <select data-part="network">{options}</select></label>'
    buttons = "".join(
        f'<button type="button" data-look="{html.escape(look.name)}" aria-pressed="false">'
        f"{html.escape(look.title)}</button>"
        for look in looks
    )
    return f'{networks}<div class="lw-segments" role="group" aria-label="Ways of looking inside">{buttons}</div>'
