"""What is kept of each visitor: little, and of no more visitors than there is room for. Most never say that they leave.

For each visitor Gradio would describe every component of every page, at their first event: two megabytes, and a good
part of a second; and describe it again with whatever the page shows them. That is for links that reproduce a state,
which our pages do not offer, and it would be kept of 10,000 visitors, gone or not.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import gradio as gr
from gradio import state_holder

from layerwise_app.web.site import Site

KEPT_SESSIONS = 1000
"""Of how many visitors what they have done is kept, such as the conversation on a page; the newest."""


class SmallState(state_holder.SessionState):
    """What Gradio keeps of a visitor, without the descriptions of components; of components and events only those that
    are the visitor's own."""

    def __init__(self, blocks: Any) -> None:
        # The descriptions are made of the components that the Blocks have.
        without: Any = SimpleNamespace(default_config=blocks.default_config, blocks=())
        super().__init__(without)
        own: Any = self.blocks_config
        own.blocks, own.fns = ChainMap({}, blocks.default_config.blocks), ChainMap({}, blocks.default_config.fns)

    def __setitem__(self, key: int, value: Any) -> None:
        super().__setitem__(key, value)
        self.config_values.clear()

    def _update_config(self, key: int) -> None:
        """Describe nothing."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Describe nothing."""


def keep_little(site: Site, blocks: gr.Blocks) -> None:
    """Let an app keep little of its visitors, and forget those who leave. To be called within the Blocks."""
    module: Any = state_holder
    module.SessionState = SmallState
    blocks.state_session_capacity = KEPT_SESSIONS
    blocks.unload(forgetting(site))


def forgetting(site: Site) -> Callable[[gr.Request], None]:
    """What happens when a visitor leaves: models forget what they remember of the session."""

    def forget(request: gr.Request) -> None:
        if request.session_hash:
            site.predictor.end_session(request.session_hash)

    return forget
