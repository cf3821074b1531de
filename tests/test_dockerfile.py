"""What the documents and the Dockerfile start is there, and is started soundly."""

import configparser
import json
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import typer

from layerwise_app.cli.app import make_app

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SERVING = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")


def check_options(words):
    """Whether `layerwise` takes these words."""
    command, *options = words
    found = typer.main.get_group(make_app()).commands[command]
    found.make_context(command, list(options), resilient_parsing=False)


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="needs hadolint")
def test_the_linter_finds_nothing():
    done = subprocess.run(["hadolint", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_copied_is_there_and_not_ignored():
    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for line in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE):
        for name in line.split():
            assert (ROOT / name).exists()
            assert f"!{name}" in kept


def test_the_command_and_the_extras_of_the_container_are_there():
    check_options(json.loads(re.search(r"^CMD (\[\"serve.*\])$", DOCKERFILE, re.MULTILINE).group(1)))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for text in (DOCKERFILE, SERVING):
        for named in re.findall(r"EXTRAS=([a-z,]+)", text):
            assert set(named.split(",")) <= extras.keys()


def test_the_container_runs_as_nobody_special_and_keeps_what_was_made():
    user, group = re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)[-1]
    assert int(user) > 1000
    home = re.search(r"LAYERWISE_HOME=(\S+)", DOCKERFILE).group(1)
    assert f"VOLUME {home}" in DOCKERFILE
    assert f"--owner={user} --group={group} {home}" in DOCKERFILE


def test_the_unit_lets_trainings_go_on_and_starts_what_is_there():
    text = re.search(r"^```ini\n(.*?)^```", SERVING, re.MULTILINE | re.DOTALL).group(1)
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read_string(text)
    service = unit["Service"]
    assert (service["KillMode"], service["Restart"]) == ("process", "always")
    words = shlex.split(service["ExecStart"])
    assert words[0].endswith("/layerwise")
    check_options(words[1:])
    # After the drain and the grace there is time for the rest.
    assert int(service["TimeoutStopSec"]) > 5 + 20 + 10


def test_the_proxies_pass_on_what_is_needed():
    caddy = re.search(r"^```text\n# /etc/caddy.*?^```", SERVING, re.MULTILINE | re.DOTALL).group()
    nginx = "".join(re.findall(r"^```nginx\n(.*?)^```", SERVING, re.MULTILINE | re.DOTALL))
    for text in (caddy, nginx):
        assert text.count("{") == text.count("}")
    assert "flush_interval -1" in caddy
    for line in ("Host $http_host", "Upgrade $http_upgrade", "X-Request-ID $request_id", "proxy_buffering off"):
        assert line in nginx
