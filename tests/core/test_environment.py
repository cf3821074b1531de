import os
import subprocess
import sys
from importlib import metadata

from fresh_process import run_python

from layerwise.hardware import environment


def test_environment_says_what_this_process_runs_in():
    found = environment.environment()
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["packages"]["keras"] == metadata.version("keras")
    assert found["packages"].keys() == set(environment.PACKAGES)
    assert 1 <= found["cores"] <= os.cpu_count()
    assert found["memory"] > 100e6
    assert environment.package_version("no-such-package-at-all") is None


def test_environment_imports_nothing_heavy():
    done = run_python("""
        import sys
        from layerwise.devices import environment, git_revision
        environment(), git_revision()
        print([name for name in ("keras", "tensorflow", "numpy", "jax", "torch") if name in sys.modules])
    """)
    assert done.stdout.strip() == "[]", done.stderr


def test_backend_follows_the_variable_that_keras_follows(monkeypatch, tmp_path):
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert environment.environment()["backend"] == "jax"
    monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert environment.environment()["backend"] == "tensorflow"
    (tmp_path / "keras.json").write_text('{"backend": "torch"}')
    assert environment.environment()["backend"] == "torch"


def test_memory_of_a_container_is_not_that_of_the_machine():
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert environment.memory() <= physical


def test_nvidia_gpus_are_read_from_what_the_driver_prints(monkeypatch, tmp_path):
    command = tmp_path / "nvidia-smi"
    command.write_text("#!/bin/sh\necho 'NVIDIA A100-SXM4-40GB, 40960'\necho 'NVIDIA GB10, [N/A]'\necho\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert environment.nvidia_gpus() == [
        {"name": "NVIDIA A100-SXM4-40GB", "memory": 40960 * 2**20},
        {"name": "NVIDIA GB10", "memory": None},
    ]


def test_no_driver_means_no_gpus(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert environment.nvidia_gpus() == []
    assert environment.git_revision() is None


def test_git_revision_names_the_commit_and_whether_files_were_changed(monkeypatch, tmp_path):
    def git(*words):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *identity, *words], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    module = tmp_path / "site" / "environment.py"
    module.parent.mkdir()
    module.write_text("1\n")
    monkeypatch.setattr(environment, "__file__", str(module))
    git("init", "-q")
    assert environment.git_revision() is None  # below a checkout, and not of it
    git("add", "site")
    git("commit", "-qm", "first")
    commit = git("rev-parse", "HEAD")
    assert environment.git_revision() == commit
    module.write_text("2\n")
    assert environment.git_revision() == f"{commit}-dirty"
