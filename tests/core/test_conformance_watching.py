"""What a process does that it should not is seen, and what it may do is not taken for it."""

import json

import pytest
from fresh_process import run_python

WATCHED = """
    import json, os, shutil, socket, tempfile
    from pathlib import Path
    from layerwise.conformance.watching import Watch
    allowed = Path(tempfile.mkdtemp())
    other = Path(tempfile.mkdtemp(dir=os.environ["OTHER"]))
    (other / "old").write_text("x")
    os.chdir(other)
    watch = Watch([allowed])
    try:
        {code}
    except OSError as error:
        print(error)
    print(json.dumps([[os.path.relpath(path, other) for path in watch.written], watch.connected]))
"""


@pytest.mark.parametrize(
    ("code", "written", "connected"),
    [
        ("(allowed / 'a').write_text('x'); shutil.rmtree(allowed)", [], []),
        ("os.makedirs(allowed / 'a' / 'b'); (allowed / 'a').rename(allowed / 'c')", [], []),
        ("(other / 'old').read_text()", [], []),
        ("(other / 'new').write_text('x')", ["new"], []),
        ("open('old', 'a').close()", ["old"], []),
        ("os.open('new', os.O_CREAT | os.O_RDWR)", ["new"], []),
        ("os.mkdir('folder')", ["folder"], []),
        ("os.remove('old')", ["old"], []),
        ("os.rename('old', 'new')", ["new"], []),
        ("(allowed / 'link').symlink_to(other); (allowed / 'link' / 'x').write_text('x')", ["x"], []),
        ("open('/dev/null', 'w').close()", [], []),
        ("socket.socketpair()", [], []),
        ("socket.create_connection(('127.0.0.1', 9), 1)", [], []),
        ("socket.getaddrinfo('example.org', 80)", [], ["example.org"]),
        ("socket.create_connection(('192.0.2.1', 80), 1)", [], ["192.0.2.1"]),
    ],
)
def test_what_is_seen(tmp_path, code, written, connected):
    done = run_python(WATCHED.format(code=code), OTHER=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [written, connected]
