"""The page of the backprop microscope: a drawn network, and the formula of the number that is looked at."""

from __future__ import annotations

import dataclasses
import functools
import html
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert

from layerwise.activations import ACTIVATIONS
from layerwise.errors import InputError
from layerwise.from_scratch.losses import LOSSES
from layerwise.networks import OUTPUT_ACTIVATIONS
from layerwise.predictor import Predictor
from layerwise_learn.answers import answering
from layerwise_learn.experiments.drawing import number
from layerwise_learn.experiments.networks import random_network
from layerwise_learn.microscope import PRESETS, Place, Problem, explain
from layerwise_learn.microscope.problem import MAX_EXAMPLES, MAX_LAYERS, MAX_UNITS
from layerwise_learn.pages.scripted import draw_scripted

HERE = Path(__file__)


def draw(predictor: Predictor) -> None:
    """Draw the page. It needs no model."""
    draw_scripted(HERE, _template(), (look, tell), elem_id="microscope")


@answering
def look(asked: Mapping[str, Any]) -> dict[str, Any]:
    """A network and all numbers of its next training step.

    Args:
        asked: "preset", a name; or "form", what `made` takes; or "problem", what this function returned under that
            name, and then "steps", how many training steps are to be done first.

    Returns:
        "problem", which the browser keeps, as the server keeps nothing; "sizes"; "numbers", each as
        [step, name, index, value]; "losses" before each of the steps that were done.
    """
    if "preset" in asked:
        if asked["preset"] not in PRESETS:
            raise InputError("There is no such network", expected=", ".join(PRESETS), received=repr(asked["preset"]))
        problem = PRESETS[asked["preset"]][1]()
    else:
        problem = made(asked["form"]) if "form" in asked else Problem.from_json(asked["problem"])
    losses = []
    for _ in range(min(int(asked.get("steps", 0)), 100)):
        losses.append(problem.step.loss.value)
        problem = problem.next()
    return {
        "problem": problem.to_json(),
        "sizes": problem.sizes,
        "numbers": [[step, place.name, place.index, value] for step, place, value in problem.places()],
        "losses": losses,
    }


@answering
def tell(asked: Mapping[str, Any]) -> dict[str, Any]:
    """How a number came about.

    Args:
        asked: "problem", "name" and "index".

    Returns:
        "html", and "sources", the numbers that it was made from, each as [name, index].
    """
    problem = Problem.from_json(asked["problem"])
    explanation = explain(problem, Place(name=str(asked["name"]), index=tuple(map(int, asked["index"]))))
    formulas = "".join(
        f'<div class="formula"><span>{html.escape(formula.label)}</span>'
        f'<div tabindex="0" role="group" aria-label="{html.escape(formula.label)}">{_mathml(formula.latex)}</div></div>'
        for formula in explanation.formulas
    )
    sources = [[place.name, place.index] for place in explanation.sources]
    buttons = "".join(
        f'<button type="button" data-source="{position}">{_mathml(place.symbol)}'
        f"<b>{_mathml(number(explain(problem, place).value, 4))}</b></button>"
        for position, place in enumerate(explanation.sources)
        if not place.name.endswith("before")
    )
    made_from = f'<div class="sources"><span>Made from</span>{buttons}</div>' if buttons else ""
    return {
        "html": f"<div><p>{html.escape(explanation.words)}</p>{made_from}</div><div>{formulas}</div>",
        "symbol": _mathml(explanation.place.symbol),
        "sources": sources,
    }


@functools.lru_cache(maxsize=4096)
def _mathml(latex: str) -> str:
    """A formula as MathML, which browsers draw by themselves."""
    return convert(latex)


def made(form: Mapping[str, str]) -> Problem:
    """The network that a form describes, with random weights.

    Args:
        form: "sizes", "activations", "output_activation", "loss", "learning_rate", "seed", and "inputs" and "targets"
            with a line for each example.

    Raises:
        InputError, SpecError: A field cannot be read, or the fields do not fit each other.
    """
    sizes = [int(size) for row in _rows("The numbers of units", form["sizes"]) for size in row]
    if len(sizes) < 2 or min(sizes) < 1 or max(sizes) > MAX_UNITS or len(sizes) > MAX_LAYERS + 1:
        raise InputError(
            "The numbers of units are not usable",
            expected=f"inputs, hidden layers, outputs: 2 to {MAX_LAYERS + 1} whole numbers from 1 to {MAX_UNITS}",
            received=form["sizes"],
        )
    inputs, targets = _rows("The inputs", form["inputs"]), _rows("The targets", form["targets"])
    if len(inputs) != len(targets):
        raise InputError(
            "Each example needs a line of inputs and a line of targets",
            received=f"{len(inputs)} lines of inputs, {len(targets)} of targets",
        )
    if len(inputs) > MAX_EXAMPLES:
        raise InputError("There are too many examples", expected=f"at most {MAX_EXAMPLES}", received=str(len(inputs)))
    ((seed,),) = _rows("The seed", form["seed"])
    ((rate,),) = _rows("The learning rate", form["learning_rate"])
    are_classes = form["loss"] == "cross_entropy" and form["output_activation"] != "sigmoid" and len(targets[0]) == 1
    network = random_network(sizes, "tanh", seed=abs(int(seed)), output_activation=form["output_activation"])
    return Problem(
        network=dataclasses.replace(network, activations=form["activations"]),
        inputs=inputs,
        targets=[int(row[0]) for row in targets] if are_classes else targets,
        loss=form["loss"],
        learning_rate=rate,
    )


def _rows(what: str, text: str) -> list[list[float]]:
    """Numbers, a line each, separated by commas or spaces."""
    lines = [line.strip(" ,;") for line in str(text).splitlines()]
    try:
        rows = [[float(part) for part in re.split(r"[,;\s]+", line)] for line in lines if line]
    except ValueError:
        rows = []
    if not rows or len({len(row) for row in rows}) > 1:
        raise InputError(
            f"{what} cannot be read", expected="numbers, in each line as many as in the first", received=text[:200]
        )
    return rows


def _options(names: Mapping[str, str]) -> str:
    return "".join(f'<option value="{name}">{html.escape(title)}</option>' for name, title in names.items())


def _template() -> str:
    activations = {name: activation.title for name, activation in ACTIVATIONS.items()}
    outputs = {name: activations.get(name, name) for name in OUTPUT_ACTIVATIONS}
    return (
        HERE.with_suffix(".html")
        .read_text(encoding="utf-8")
        .replace("[presets]", _options({name: title for name, (title, _) in PRESETS.items()}))
        .replace("[activations]", _options(activations))
        .replace("[output activations]", _options(outputs))
        .replace("[losses]", _options({name: name.replace("_", " ") for name in LOSSES}))
    )
