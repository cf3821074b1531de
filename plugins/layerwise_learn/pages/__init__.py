"""The pages with the larger experiments. Only the web app calls what draws them, so only these modules know Gradio."""

from __future__ import annotations

from layerwise import Page
from layerwise_learn.depth.page import PAGE as DEPTH_LAB

PAGES: tuple[Page, ...] = (
    Page(
        name="playground",
        title="Playground",
        draw="layerwise_learn.pages.playground:draw",
        section="learn",
        summary="A dense network learns while you watch: where each unit is active, every weight as a line, and what "
        "the network answers.",
    ),
    Page(
        name="microscope",
        title="Microscope",
        draw="layerwise_learn.pages.microscope:draw",
        section="learn",
        summary="One training step of a small network, number by number, each with the formula that made it: choose "
        "one in the drawing, or go through them with the arrow keys.",
    ),
    DEPTH_LAB,
)
