"""The page on which a protein is folded again from its distances: what the script beside it asks for."""

from __future__ import annotations

import base64
import functools
import html
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from layerwise.config import Setting, config_from, settings_of
from layerwise.errors import UNEXPECTED, InputError, LayerwiseError
from layerwise.predictor import Predictor
from layerwise_science.proteins.folding.lab import FoldingSettings

logger = logging.getLogger(__name__)

HERE = Path(__file__)
SCRIPTS = ("folding_space.js", "folding_curves.js", "folding.js")
DRAWS = 3
"""How often errors and gaps are drawn for a point of a curve."""
FINEST, UNKNOWN = 0.25, 255
"""Distances reach the browser as bytes, in steps of so many Å; and what stands for one that is not known."""
ALONG = ("noise", "missing", "longest")
"""What a curve can be measured along."""


def draw(predictor: Predictor) -> None:
    """Draw the page. It needs no model."""
    gr.HTML(
        "",
        padding=False,
        apply_default_css=False,
        html_template=_template(),
        css_template=HERE.with_suffix(".css").read_text(encoding="utf-8"),
        js_on_load="\n".join(HERE.with_name(name).read_text(encoding="utf-8") for name in SCRIPTS),
        server_functions=[_answering(function) for function in (open_chain, fold_again, measure)],
        elem_id="folding",
    )


def _answering(function: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """`function` with whatever is wrong with a request as the answer {"error": a sentence}."""

    @functools.wraps(function)
    def answer(asked: Any) -> dict[str, Any]:
        try:
            return function(asked)
        except LayerwiseError as error:
            return {"error": str(error)}
        except Exception:
            logger.exception("%s could not answer", function.__name__)
            return {"error": UNEXPECTED}

    return answer


def open_chain(asked: Mapping[str, Any]) -> dict[str, Any]:
    """A trace, which the browser keeps, as the server keeps nothing.

    Args:
        asked: "name", one of those that are there; or "file", what a PDB or mmCIF file holds, its "title", and "chain",
            which of its chains, empty for the first.

    Returns:
        "title", "sequence", "coordinates" [residues][3] in Å, and "note", what is to be said of it.
    """
    from layerwise_science.proteins.folding.chains import shipped_chains
    from layerwise_science.proteins.folding.structure_files import read_chain
    from layerwise_science.proteins.folding.superposition import laid_down

    if "file" in asked:
        chain = read_chain(str(asked["file"]), str(asked.get("chain", "")).strip())
        title = f"{str(asked.get('title', ''))[:60]}, {chain.title}"
    else:
        known = shipped_chains()
        if asked.get("name") not in known:
            raise InputError("There is no such protein", expected=", ".join(known), received=repr(asked.get("name")))
        chain = known[str(asked["name"])]
        title = f"{chain.title} ({asked['name']})"
    gaps = ", ".join(map(str, chain.gaps))
    return {
        "title": title,
        "sequence": chain.sequence,
        "coordinates": laid_down(chain.coordinates).round(3).tolist(),
        "note": f"Residues are missing after number {gaps}: they were not seen in the crystal." if gaps else "",
    }


def fold_again(asked: Mapping[str, Any]) -> dict[str, Any]:
    """A trace folded from its distances.

    Args:
        asked: "chain", as from `open_chain`, and "settings", the values of a FoldingSettings by name.

    Returns:
        "known": the distances that were given, bytes in base64, in steps of `FINEST` Å; "found" and "other":
        coordinates of both hands, laid upon the truth; "scaled", without the descent; "rmsds" of the three; "stresses";
        "share" of known distances; "twist".
    """
    import numpy as np

    from layerwise_science.proteins.folding.lab import fold

    folded = fold(_chain(asked), config_from(FoldingSettings, dict(asked.get("settings") or {})))
    distances = folded.known.distances
    steps = np.where(np.isfinite(distances), np.clip(np.nan_to_num(distances) / FINEST, 0, UNKNOWN - 1), UNKNOWN)
    places = {"found": folded.found, "other": folded.other, "scaled": folded.scaled}
    return {
        "known": base64.b64encode(steps.round().astype("uint8").tobytes()).decode(),
        **{name: each.coordinates.round(2).tolist() for name, each in places.items()},
        "rmsds": {name: each.rmsd for name, each in places.items()},
        "stresses": list(folded.stresses),
        "share": folded.known.known_share,
        "twist": folded.twist,
    }


def measure(asked: Mapping[str, Any]) -> dict[str, Any]:
    """How far a trace is from the truth in a few draws of errors and gaps.

    Args:
        asked: As of `fold_again`; "along", one of ALONG, and its "value".

    Returns:
        "rmsds", in Å.
    """
    from layerwise_science.proteins.folding.lab import rmsds

    along = asked.get("along")
    if along not in ALONG:
        raise InputError("This cannot be measured", expected=", ".join(ALONG), received=repr(along))
    values = {**dict(asked.get("settings") or {}), along: asked.get("value")}
    return {"rmsds": rmsds(_chain(asked), config_from(FoldingSettings, values), DRAWS).tolist()}


def _chain(asked: Mapping[str, Any]) -> Any:
    """The trace that the browser has kept.

    Raises:
        InputError: It is none.
    """
    import numpy as np

    from layerwise_science.proteins.folding.chains import Chain
    from layerwise_science.proteins.folding.structure_files import FEWEST, MOST

    given = asked.get("chain")
    try:
        coordinates = np.array(given["coordinates"], "float64")  # type: ignore[index]
        sequence = str(given["sequence"])  # type: ignore[index]
    except (TypeError, KeyError, ValueError):
        raise InputError("There is no trace", expected="a chain as from open_chain") from None
    is_usable = coordinates.ndim == 2 and coordinates.shape[1:] == (3,) and FEWEST <= len(coordinates) <= MOST
    if not is_usable or not np.isfinite(coordinates).all() or np.abs(coordinates).max() > 1e5:
        raise InputError(
            "The trace cannot be used",
            expected=f"{FEWEST} to {MOST} places in Å",
            received=f"an array of shape {list(coordinates.shape)}",
        )
    return Chain("", sequence, coordinates)


def _template() -> str:
    from layerwise_science.proteins.folding.chains import shipped_chains

    chains = "".join(
        f'<option value="{name}">{html.escape(chain.title)} ({name}, {len(chain)} residues)</option>'
        for name, chain in shipped_chains().items()
    )
    sliders = "".join(_slider(item) for item in settings_of(FoldingSettings) if item.name != "seed")
    text = HERE.with_suffix(".html").read_text(encoding="utf-8")
    return text.replace("[chains]", chains).replace("[sliders]", sliders)


def _slider(item: Setting) -> str:
    step = 1 if item.kind is int else {"noise": 0.1, "missing": 0.01, "longest": 0.5}[item.name]
    unit = f" {item.unit}" if item.unit else ""
    return (
        f"<label><span>{html.escape(item.meaning)}</span>"
        f'<span class="lw-slider"><input type="range" data-setting="{item.name}" min="{item.minimum:g}" '
        f'max="{item.maximum:g}" step="{step:g}" value="{item.default:g}"><output>{item.default:g}</output>'
        f"{unit}</span></label>"
    )
