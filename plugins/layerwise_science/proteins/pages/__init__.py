"""The pages of proteins. Only the web app calls what draws them, so only these modules know Gradio."""

from __future__ import annotations

from layerwise import Page

PAGES: tuple[Page, ...] = (
    Page(
        name="folding",
        title="Folding from distances",
        draw="layerwise_science.proteins.pages.folding:draw",
        section="science",
        summary="How a protein's shape follows from the distances between its residues, how much noise and how many "
        "gaps it bears, and why a map of distances does not know left from right.",
    ),
)
