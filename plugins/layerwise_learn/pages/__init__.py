"""The pages with the larger experiments. Only the web app calls what draws them, so only these modules know Gradio."""

from __future__ import annotations

from layerwise import Page

PAGES: tuple[Page, ...] = ()
