"""What stands beside the code: workflows and forms are of the form that GitHub reads, the changelog has the version."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import layerwise

ROOT = Path(__file__).parents[1]
FORGE = ROOT / ".github"
WORKFLOWS = sorted((FORGE / "workflows").glob("*.yml"))
FORMS = sorted(path for path in (FORGE / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
SCHEMAS = {
    "vendor.github-workflows": WORKFLOWS,
    "vendor.github-issue-forms": FORMS,
    "vendor.github-issue-config": [FORGE / "ISSUE_TEMPLATE" / "config.yml"],
    "vendor.dependabot": [FORGE / "dependabot.yml"],
}
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def steps():
    for path in WORKFLOWS:
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
            yield from job.get("steps", [])


@pytest.mark.parametrize("schema", SCHEMAS)
def test_what_github_reads_is_of_its_schema(schema):
    assert SCHEMAS[schema]
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, SCHEMAS[schema])]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_actions_are_of_a_stated_version_and_scripts_can_be_read():
    for step in steps():
        if "uses" in step:
            assert re.fullmatch(r"[\w.-]+/[\w.-]+@(v\d+|release/v\d+|[0-9a-f]{40})", step["uses"])
        else:
            done = subprocess.run(["bash", "-n"], input=step["run"], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr


def test_workflows_may_only_read_unless_a_job_says_more():
    for path in WORKFLOWS:
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["permissions"] == {"contents": "read"}


def test_workflows_try_every_python_and_install_extras_that_are_there():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    tried = set(re.findall(r'"(3\.\d+)"', (FORGE / "workflows" / "ci.yml").read_text(encoding="utf-8")))
    named = {line.rpartition(" ")[2] for line in project["classifiers"] if re.search(r":: 3\.\d+$", line)}
    assert tried == named
    texts = [path.read_text(encoding="utf-8") for path in (*WORKFLOWS, ROOT / ".ci" / "run")]
    extras = {extra for text in texts for group in re.findall(r'"\.\[([a-z,]+)\]"', text) for extra in group.split(",")}
    assert extras <= project["optional-dependencies"].keys()


def test_the_changelog_is_of_its_form_and_has_this_version():
    headings = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", heading) for heading in headings[1:])
    assert layerwise.__version__ in CHANGELOG


@pytest.mark.skipif(shutil.which("awk") is None, reason="needs awk")
def test_a_release_says_what_the_changelog_says_of_its_version(tmp_path):
    sections = (
        "# Changelog",
        "## [Unreleased]\n\n- No.",
        "## [0.2.0] - 2027-01-01\n\n- This.",
        "## [0.1.0] - 2026\n\n- No.",
    )
    (tmp_path / "CHANGELOG.md").write_text("\n\n".join(sections))
    [script] = [step["run"] for step in steps() if "awk" in step.get("run", "")]
    line = next(line for line in script.splitlines() if line.startswith("awk"))
    subprocess.run(["bash", "-c", line], cwd=tmp_path, env={"TAG": "v0.2.0", "PATH": "/usr/bin:/bin"}, check=True)
    assert (tmp_path / "notes.md").read_text().split("\n") == ["", "- This.", "", ""]
