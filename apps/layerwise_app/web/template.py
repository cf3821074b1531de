"""What Gradio's template of a page lacks: our script at the beginning of its head, and the tab that its address names.

What Gradio takes for heads (`head`) it puts there by a script of its own, after it has read the browser's language. And
it opens the first tab: an event that turned to another one came when the page had asked for much else, seconds later on
a busy machine, and took away what somebody had begun to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jinja2

from layerwise_app.web.languages import head_script

MODEL_TABS = "lw-models"
"""The class of the tabs that are named after models, "domain/model"."""
_CONFIG, _OPENED = "{{ config | toorjson }}", "{{ config | opened(request.query_params) | toorjson }}"


def adapt_template() -> None:
    """Have it in all pages of Gradio from now on."""
    from gradio.routes import templates

    environment = templates.env
    if not isinstance(environment.loader, _Adapted):
        assert environment.loader is not None
        environment.loader = _Adapted(environment.loader)
        environment.filters["opened"] = opened


def opened(config: dict[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
    """The config of a page, which is changed, with the tab of the model open that its address names."""
    components = config["components"]
    names = [str(item["props"].get("id")) for item in components if item["type"] == "tabitem"]
    found = [name for name in names if name.endswith(f"/{query.get('model')}")]
    if found:
        for item in components:
            if item["type"] == "tabs" and MODEL_TABS in item["props"].get("elem_classes", ()):
                item["props"]["selected"] = found[0]
    return config


class _Adapted(jinja2.BaseLoader):
    """Templates of pages with what they lack."""

    def __init__(self, inner: jinja2.BaseLoader) -> None:
        self.inner = inner

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        """The text of a template, its file, and whether it is still that."""
        source, file, is_current = self.inner.get_source(environment, template)
        head = f"<head>\n{{% raw %}}{head_script()}{{% endraw %}}"
        return source.replace("<head>", head, 1).replace(_CONFIG, _OPENED), file, is_current
