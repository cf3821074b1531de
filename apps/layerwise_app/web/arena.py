"""An agent to watch and to play instead of: drawn for every model that acts in an environment."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise_app.web.markup import markup

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec

SCRIPT = Path(__file__).with_name("arena.js")


def draw_arena(spec: ModelSpec) -> None:
    """Draw the arena of a model; its script asks the server for what is played (`arena_socket`)."""
    markup(arena_html(spec), js_on_load=SCRIPT.read_text(encoding="utf-8"))


def arena_html(spec: ModelSpec) -> str:
    """The arena before anything is played."""
    title = html.escape(spec.card.title)
    return f"""
<section class="lw-panel lw-arena" data-model="{html.escape(spec.name)}" aria-label="Watch and play: {title}">
  <div class="lw-stage">
    <canvas data-part="canvas" width="320" height="240" tabindex="0" role="img" aria-label="{title}"></canvas>
    <button type="button" class="lw-primary" data-part="start">Watch it play</button>
  </div>
  <div class="lw-desk">
    <p class="lw-label" data-part="said" role="status">Nothing is played yet.</p>
    <p class="lw-small-tools">
      <button type="button" data-part="again">New episode</button>
      <button type="button" data-part="pause">Pause</button>
      <button type="button" data-part="own" hidden>Play it yourself</button>
    </p>
    <p class="lw-hint" data-part="keys"></p>
    <div data-part="bars" role="group" aria-label="How probable each action is to the agent"></div>
    <p class="lw-hint">Return that it expects from here on: <output data-part="value">–</output></p>
    <div data-part="milestone" hidden>
      <label><span class="lw-label">How far its training was</span>
        <input type="range" data-part="slider" min="0" max="1" step="1" value="1"></label>
      <div data-part="curve"></div>
      <p class="lw-hint" data-part="strength" role="status"></p>
    </div>
  </div>
</section>"""
