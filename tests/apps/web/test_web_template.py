"""A page of models comes with the tab open that its address names."""

import json
import re

import pytest
from fastapi.testclient import TestClient


@pytest.fixture(scope="module")
def selected(client: TestClient):
    """`selected(address)`: the tab that a page opens, None for the first one."""

    def find(address: str) -> str | None:
        found = re.search(r"window\.gradio_config = (\{.*?\});</script>", client.get(address).text, re.DOTALL)
        assert found, "the page has a config"
        components = json.loads(found[1])["components"]
        (tabs,) = (item for item in components if "lw-models" in (item["props"].get("elem_classes") or ()))
        return tabs["props"].get("selected")

    return find


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/vision", None),
        ("/vision?model=fashion", "vision/fashion"),
        ("/vision?network=dense&model=garments", "vision/garments"),
        ("/vision?model=nothing", None),
        ("/vision?model=image", None),
    ],
)
def test_the_tab_that_the_address_names_is_open(selected, address, name):
    assert selected(address) == name
    assert selected("/vision") is None, "what one visitor asks for changes no page of others"
