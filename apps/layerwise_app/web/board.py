"""A game on a board, to be played with a mouse, a finger or the keyboard: against the agent, or by the agent alone."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from layerwise.errors import InputError
from layerwise.tasks import BoardGame
from layerwise.tasks.board_game import MOST_SIMULATIONS
from layerwise.versions import Reference
from layerwise_app.web.components import table_html
from layerwise_app.web.demo import draw_details
from layerwise_app.web.experiments import answering
from layerwise_app.web.fetching import untrained
from layerwise_app.web.inside import Inside
from layerwise_app.web.markup import markup
from layerwise_app.web.plots import plots_html
from layerwise_app.web.site import Site

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec

SCRIPT = Path(__file__).with_name("board.js")
STRENGTHS = (1, 25, 100, 400, 1600)
"""How many positions an agent may look at."""


class BoardCalls:
    """What the script of the page asks for (board.js). Each call is given a JSON value and answers with one.

    Args:
        site: The site.
        spec: The model.
    """

    def __init__(self, site: Site, spec: ModelSpec) -> None:
        self.site, self.spec = site, spec

    def think(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What an agent does after some moves, or only what the board is like.

        Args:
            asked: "variant", and the inputs of the task.
        """
        reference = self._reference(asked)
        if missing := untrained(self.site, reference):
            return {"missing": missing}
        answer = self.site.predictor.predict(reference, dict(asked.get("inputs") or {}))
        shown = plots_html(answer["chances"]) + table_html("What it looked at", answer["lines"])
        return {"said": answer["said"], "move": answer["move"], "board": answer["board"], "html": shown}

    def write_down(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The game as a file: its name and its text."""
        task = self._task(asked)
        komi = asked.get("komi")
        text = task.written(
            task.moves_of(asked.get("moves")), None if komi is None else float(komi), str(asked.get("result") or "")
        )
        return {"name": f"game{task.file_ending}", "text": text}

    def read_file(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The game that a file holds."""
        text = asked.get("text")
        if not isinstance(text, str):
            raise InputError("The file cannot be read", expected="a text", received=type(text).__name__)
        return self._task(asked).read(text)

    def _reference(self, asked: Mapping[str, Any]) -> Reference:
        return Reference(self.spec.name, self.spec.variant(asked.get("variant")).name)

    def _task(self, asked: Mapping[str, Any]) -> BoardGame:
        task = self.site.predictor.version(self._reference(asked)).task
        assert isinstance(task, BoardGame)
        return task


def draw_board(site: Site, spec: ModelSpec) -> None:
    """Draw the page of a game."""
    calls = BoardCalls(site, spec)
    with gr.Column(elem_classes="lw-model"):
        markup(f'<p class="lw-summary">{html.escape(spec.card.summary)}</p>')
        markup(
            "",
            html_template=board_html(spec),
            js_on_load=SCRIPT.read_text(encoding="utf-8"),
            server_functions=[answering(call) for call in (calls.think, calls.write_down, calls.read_file)],
        )
        inside = Inside(site)
        inside.draw()
        draw_details(site, spec)


def board_html(spec: ModelSpec) -> str:
    """The page before anything is asked."""
    task: Any = spec.task
    title = html.escape(spec.card.title)
    first, second = (html.escape(name) for name in task.players)
    variants = "".join(
        f'<option value="{html.escape(item.name)}">{html.escape(item.summary or item.name)}</option>'
        for item in spec.variants
    )
    chosen = min(STRENGTHS, key=lambda number: abs(number - task.simulations))
    strengths = "".join(
        f'<option value="{number}"{" selected" if number == chosen else ""}>{number:,} '
        f"position{'s' if number > 1 else ''} a move</option>"
        for number in STRENGTHS
        if number <= MOST_SIMULATIONS
    )
    has_komi = any(field.name == "komi" for field in task.inputs)
    komi = (
        '<label>Komi<input type="number" step="0.5" data-part="komi" placeholder="usual"></label>' if has_komi else ""
    )
    return f"""
<section class="lw-panel lw-game" aria-label="Play: {title}" data-players="{first}|{second}">
  <div class="lw-table-top">
    <div class="lw-board lw-{task.grid}" data-part="board" role="group" aria-label="The board"></div>
  </div>
  <div class="lw-desk">
    <p class="lw-label" data-part="said" role="status">Loading the agent …</p>
    <div class="lw-note" role="alert" data-part="note" hidden></div>
    <p class="lw-small-tools">
      <button type="button" data-part="pass">Pass</button>
      <button type="button" data-part="undo">Undo</button>
      <button type="button" data-part="resign">Resign</button>
      <button type="button" data-part="hint">What would it play?</button>
      <button type="button" data-part="new">New game</button>
    </p>
    <div class="lw-choices">
      <label>Board<select data-part="variant">{variants}</select></label>
      <label>You play<select data-part="side"><option value="1">{first}</option><option value="2">{second}</option>
        <option value="0">nobody: watch the agent</option><option value="3">both</option></select></label>
      <label>Strength<select data-part="strength">{strengths}</select></label>
      {komi}
      <label>How much training it had<input type="range" min="0" max="100" step="10" value="100" data-part="training">
      </label>
      <label class="lw-check"><input type="checkbox" data-part="show-owners"> whose each point will be</label>
      <label class="lw-check"><input type="checkbox" data-part="show-worth"> what it looked at</label>
    </div>
    <p class="lw-small-tools">
      <button type="button" data-part="save">Save the game</button>
      <label class="lw-file">Open a game<input type="file" data-part="open" accept="{html.escape(task.file_ending)}">
      </label>
    </p>
    <p class="lw-hint" data-part="moves"></p>
    <div data-part="thoughts"></div>
  </div>
</section>"""
