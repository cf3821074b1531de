"""What is remembered of plugins in plugins.json: by whom it is written, and what becomes of one that cannot be read."""

import errno
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from layerwise.errors import PluginError
from layerwise.plugins.switches import Switches, SwitchFile
from layerwise.registry import Registry


def test_many_processes_quarantine_and_switch_at_once(home):
    code = """
        import sys
        from layerwise.plugins.switches import SwitchFile
        from layerwise.paths import home
        for number in range(5):
            SwitchFile(home()).quarantine(f"{sys.argv[1]}-{number}", "why")
            SwitchFile(home()).set_enabled(f"{sys.argv[1]}-off-{number}", False)
    """
    words = [sys.executable, "-c", textwrap.dedent(code)]
    for process in [subprocess.Popen([*words, name]) for name in ("a", "b", "c")]:
        assert process.wait(60) == 0
    switches = SwitchFile(home).read()
    assert (len(switches.quarantined), len(switches.disabled)) == (15, 15)


def test_switching(home):
    switches = SwitchFile(home)
    assert (switches.read().disabled, switches.read().quarantined) == (frozenset(), {})
    switches.set_enabled("a", False)
    switches.quarantine("b", "It hung.")
    assert SwitchFile(home).read() == switches.read()
    assert (switches.read().disabled, switches.read().quarantined) == ({"a"}, {"b": "It hung."})
    switches.set_enabled("b", True)
    switches.set_enabled("a", True)
    assert json.loads((home / "plugins.json").read_text()) == {"disabled": [], "quarantined": {}}


@pytest.mark.parametrize("content", ["{", "[]", '{"disabled": "vision"}', '{"quarantined": []}', "[" * 100_000, "\0"])
def test_a_damaged_switch_file_is_kept_and_everything_is_on(site, home, content, monkeypatch):
    monkeypatch.setenv("LAYERWISE_ISOLATION", "off")  # plugins are not what is tested, and a rehearsal takes its time
    (home / "plugins.json").write_text(content)
    assert {report.status for report in Registry().snapshot().plugins} == {"loaded"}
    assert (home / "plugins.broken").read_text() == content
    Registry().set_enabled("toy", False)
    assert SwitchFile(home).read().disabled == {"toy"}


def test_the_python_of_a_plugin_is_remembered(home):
    switches = SwitchFile(home)
    switches.set_python("own", Path("/envs/first/bin/python"))
    switches.set_python("other", Path("/envs/other/bin/python"))
    switches.set_python("own", Path("/envs/second/bin/python"))
    expected = {"own": "/envs/second/bin/python", "other": "/envs/other/bin/python"}
    assert SwitchFile(home).read().pythons == expected
    switches.set_enabled("own", False)
    switches.quarantine("other", "It hung.")
    assert switches.read().pythons == expected, "being off is another matter"
    for _ in range(2):
        switches.set_python("own", None)
        switches.set_python("other", None)
        assert json.loads((home / "plugins.json").read_text()) == {
            "disabled": ["own"],
            "quarantined": {"other": "It hung."},
        }


def test_the_first_switch_makes_the_home(tmp_path):
    home = tmp_path / "not" / "yet"
    SwitchFile(home).set_enabled("some", False)
    assert SwitchFile(home).read().disabled == {"some"}


def test_a_switch_file_is_for_people_too(home):
    """Each name has a line of its own, in an order that does not change from one switch to the next."""
    for name in ("b", "c", "a"):
        SwitchFile(home).set_enabled(name, False)
    text = (home / "plugins.json").read_text()
    lines = [line.strip(' ,"') for line in text.splitlines()]
    assert [line for line in lines if line in ("a", "b", "c")] == ["a", "b", "c"]
    assert text.endswith("}\n")


def test_a_switch_file_that_was_written_by_hand(home):
    """What leaves a part out, or has a number where a name belongs."""
    path = home / "plugins.json"
    path.write_text('{"disabled": [1, "höhe"]}', encoding="utf-8")
    assert (SwitchFile(home).read().disabled, SwitchFile(home).read().quarantined) == ({"1", "höhe"}, {})
    path.write_text('{"quarantined": {"some": 1}, "pythons": {"other": 2}}')
    switches = SwitchFile(home).read()
    assert (switches.disabled, switches.quarantined, switches.pythons) == (frozenset(), {"some": "1"}, {"other": "2"})


def test_who_reads_the_log_learns_where_a_damaged_switch_file_went(home, caplog):
    (home / "plugins.json").write_text('{"disabled": "vision"}')
    SwitchFile(home).read()
    (message,) = (record.getMessage() for record in caplog.records)
    for part in (home / "plugins.json", home / "plugins.broken", '"disabled" is no list'):
        assert str(part) in message


def test_a_damaged_switch_file_that_cannot_be_set_aside(home):
    (home / "plugins.json").write_text("{")
    (home / "plugins.broken").mkdir()
    assert SwitchFile(home).read() == Switches()


def test_a_switch_file_that_cannot_be_read(home, caplog):
    """A folder in its place: everything is on, and nothing can be remembered, which says what and why."""
    (home / "plugins.json").mkdir()
    assert SwitchFile(home).read() == Switches()
    (message,) = (record.getMessage() for record in caplog.records)
    assert message.startswith(str(home / "plugins.json"))
    assert os.strerror(errno.EISDIR) in message
    for switch in (
        lambda: SwitchFile(home).set_enabled("some", False),
        lambda: SwitchFile(home).set_python("some", Path(sys.executable)),
    ):
        with pytest.raises(PluginError, match=r"\bsome\b") as caught:
            switch()
        assert os.strerror(errno.EISDIR) in str(caught.value)
        assert "LAYERWISE_HOME" in str(caught.value)
    with pytest.raises(IsADirectoryError):
        SwitchFile(home).quarantine("some", "It hung.")
    assert (home / "plugins.json").is_dir(), "it is not ours to set aside"
