"""Code run in a Python process of its own: for what only a first import, or an exit, can show."""

import os
import subprocess
import sys
import textwrap


def run_python(code, **environment):
    """Run code in a fresh process; the environment variables are added to this one's."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
    )
