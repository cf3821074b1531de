"""The blocks of the documents about the server, run against one."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHOE = ROOT / "plugins" / "layerwise_vision" / "examples" / "fashion" / "7-sneaker-1.png"
sys.path.append(str(ROOT / "tests" / "apps" / "web"))

pytestmark = pytest.mark.slow


def blocks(document, language):
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    from served import serving

    pytest.importorskip("mcp")
    with serving(tmp_path_factory.mktemp("served"), "--mcp") as served:
        yield served.address


@pytest.fixture
def folder(tmp_path):
    shutil.copy(SHOE, tmp_path / "shoe.png")
    return tmp_path


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("document", ["api.md", "serving.md"])
def test_what_curl_is_shown_to_ask_is_answered(address, folder, document):
    commands = [block for block in blocks(document, "bash") if block.startswith("curl")]
    assert commands
    for command in commands:
        command = command.replace("curl ", "curl --fail-with-body ").replace("http://127.0.0.1:7860", address)
        done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}{done.stdout}{done.stderr}"
        assert done.stdout.strip()


def test_the_python_of_the_document_runs_in_its_order(address, folder):
    script = folder / "blocks.py"
    code = "\n\n".join(blocks("api.md", "python")).replace("http://127.0.0.1:7860", address)
    script.write_text(code, encoding="utf-8")
    done = subprocess.run([sys.executable, script.name], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("Sneaker") == 2
    assert "cannot be read as a picture" in done.stdout


@pytest.mark.parametrize("document", ["api.md", "serving.md"])
def test_the_json_of_the_documents_is_json(document):
    for block in blocks(document, "json"):
        json.loads(block)
