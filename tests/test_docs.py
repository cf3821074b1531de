"""The documents' Python blocks run, and the commands they show exist."""

import ast
import importlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from test_worked_plugins import PAGES

from layerwise.deprecations import PUBLIC
from layerwise.reference import documents
from layerwise.registry import Registry
from layerwise.tasks.metric_names import words
from layerwise.tasks.metric_values import in_digits, with_interval

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "plugins" / "layerwise_vision" / "examples" / "fashion"
SERVED = ("api.md", "serving.md")
"""Those whose blocks need a server: tests/test_docs_served.py."""
GROUPS = ("accounts", "hub")
"""Commands that have commands."""
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
GENERATED = ("hooks.md", "lessons.md", "model-cards.md", "tasks.md")


def blocks(document, language):
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize(
    "document",
    [d for d in DOCUMENTS if blocks(d, "python") and d.name not in {*PAGES, *SERVED}],
    ids=lambda path: path.name,
)
def test_python_blocks_run_in_their_order(document, home, tmp_path, require_data):
    if document.name in ("training.md", "comparing.md"):
        require_data("fashion-mnist")
    shutil.copy(EXAMPLES / "7-sneaker-1.png", tmp_path / "shoe.png")
    script = tmp_path / "blocks.py"
    script.write_text("\n\n".join(blocks(document, "python")), encoding="utf-8")
    done = subprocess.run([sys.executable, script.name], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def imported(code):
    """The names that a block imports from Layerwise, each with its module."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "layerwise":
            yield from ((node.module, alias.name) for alias in node.names)


def test_documents_show_public_names_only():
    used = {pair for document in DOCUMENTS for code in blocks(document, "python") for pair in imported(code)}
    for module, name in used:
        assert module in PUBLIC
        assert f"{module}.{name}" in PUBLIC or hasattr(importlib.import_module(module), name), f"{module}.{name}"


def shown_commands():
    """The options that documents show of each command, and of each model that is trained."""
    found = {}
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        lines = [line for block in blocks(document, "bash") for line in block.replace("\\\n", " ").splitlines()]
        lines += re.findall(r"`(layerwise [^`\n]+)`", text)
        for line in lines:
            words = shlex.split(re.sub(r"^layerwise --plugin \S+", "layerwise", line), comments=True)
            if words[:1] == ["layerwise"] and len(words) > 1:
                named = words[2].partition(":")[0] if words[1] == "train" and len(words) > 2 else ""
                command = " ".join(words[1:3]) if words[1] in GROUPS else words[1]
                options = found.setdefault((command, named), set())
                options |= {word.partition("=")[0] for word in words[2:] if word.startswith("--")}
    return [(*key, sorted(options)) for key, options in sorted(found.items())]


@pytest.mark.parametrize(("command", "named", "options"), shown_commands())
def test_shown_commands_exist(command, named, options, home):
    # Some documents name models that their reader writes.
    named = named if named in Registry(home).snapshot().models else "vision/fashion"
    reference = [named] if command == "train" else []
    words = [sys.executable, "-m", "layerwise_app.cli", *command.split(), *reference, "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200"})
    assert done.returncode == 0, done.stdout + done.stderr
    for option in options:
        assert option in done.stdout


def headings(document):
    """What a link to a heading of a document ends in."""
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_links_between_documents_lead_somewhere():
    for document in DOCUMENTS:
        links = re.findall(r"\]\((?!http)([^)#]*)(?:#([^)]+))?\)", document.read_text(encoding="utf-8"))
        for path, heading in links:
            target = document.parent / path if path else document
            assert target.exists(), f"{document.name} links to {path}"
            assert not heading or heading in headings(target), f"{document.name} links to {path}#{heading}"


def _commit(revision):
    commit, _, changes = revision.partition("-")
    return f"{commit[:7]}{' with changes' if changes else ''}"


def test_the_figures_of_the_readme_are_those_of_the_shipped_weights():
    """`layerwise verify` measures the weights again; here nobody typed another figure."""
    rows = [
        line for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if "`layerwise train" in line
    ]
    expected = []
    for path in sorted(ROOT.glob("plugins/**/weights/*/version.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if not record["command"].startswith("layerwise train"):
            continue  # converted from weights that others have trained
        metric, value = next(iter(record["measured"]["metrics"].items()))
        low, high = record["measured"]["interval"][metric]
        seconds = record["measured"].get("cpu_seconds")
        expected.append(
            f"| `{record['name']}` | {record['variant']} | {record['num_parameters']:,} "
            f"| {words(metric)} {with_interval(value, low, high)} | `{record['command']}` "
            f"| {record['config']['seed']} | {record['created'][:10]} | {_commit(record['git'])} "
            f"| {'' if seconds is None else f'{seconds:.1f}'} |"
        )
    assert [row for row in rows if row.startswith("|")] == expected


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The documents that are written from the code, by their names."""
    return documents(Registry(tmp_path_factory.mktemp("home")).snapshot())


@pytest.mark.parametrize("name", GENERATED)
def test_documents_that_are_written_from_the_code_are_what_it_says(written, name):
    assert set(written) == set(GENERATED)
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == written[name], "python -m layerwise.reference docs"


def test_the_cards_have_every_model_with_its_limits_and_its_shipped_figures(written):
    snapshot = Registry().snapshot()
    sections = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", written["model-cards.md"], re.MULTILINE | re.DOTALL))
    assert sections.keys() == {spec.card.title for spec in snapshot.models.values()}
    for spec in snapshot.models.values():
        section = sections[spec.card.title]
        assert spec.card.limits in section
        assert all(f"<{source}>" in section for source in spec.card.sources)
        for variant in spec.variants:
            assert f"\n| `{variant.name}` |" in section
            if variant.weights is not None:
                record = json.loads((variant.weights / "version.json").read_text(encoding="utf-8"))
                figures = list(record.get("measured", {}).get("metrics", {}).values())
                assert all(in_digits(value) in section for value in figures[:1])


def test_every_benchmark_is_in_its_document():
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+\.py)`", text))
    assert named == {path.name for path in (ROOT / "benchmarks").glob("*.py")}


def test_every_dependency_is_in_its_document_with_its_reason():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z][\w-]*) \| [^|]{5,} \| .* MB \|", text, re.MULTILINE)
    assert sorted(rows) == sorted(Requirement(item).name for item in listed)


def test_the_plugin_of_the_readme_is_short_and_the_same_in_the_documents():
    block = next(block for block in blocks(ROOT / "README.md", "python") if "my_pets.py" in block)
    assert block == next(b for b in blocks(ROOT / "docs" / "writing-a-plugin.md", "python") if "my_pets.py" in b)
    assert len([line for line in block.splitlines() if line.strip() and not line.startswith("#")]) <= 15
    assert tomllib.loads(blocks(ROOT / "README.md", "toml")[0])["project"]["entry-points"]["layerwise.plugins"]
