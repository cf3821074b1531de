"""Benchmarks work as scripts: that of GPUs is tried on a CPU and says so where it has none; that of looks is small."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
NETWORKS, PRECISIONS = ["conv", "dense", "transformer"], ["float32", "mixed_bfloat16"]


def benchmark(script, *words, **environment):
    return subprocess.run(
        [sys.executable, str(FOLDER / script), *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=560,
        check=False,
    )


def test_without_a_gpu_it_says_so_in_one_sentence():
    done = benchmark("gpu.py", CUDA_VISIBLE_DEVICES="-1")
    assert done.returncode == 1
    [line] = done.stdout.splitlines()
    assert "no NVIDIA GPU" in line
    assert "--device cpu" in line


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_whole_script_runs_on_a_cpu(tmp_path, fashion_mnist_folder):
    done = benchmark("gpu.py", "--device", "cpu", "--quick", "--out", str(tmp_path / "gpu.json"))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))
    assert found["driver"] is None
    assert found["environment"]["packages"]["tensorflow"]
    assert sorted(found["speeds"]) == sorted(found["compilers"]) == sorted(found["accuracies"]) == NETWORKS
    for precisions in found["speeds"].values():
        assert sorted(precisions) == PRECISIONS
        for sides in precisions.values():
            assert sides["layerwise"]["examples_per_second"] > 0
            assert 0 < sides["layerwise"]["loss"] < 2.5
    for speeds in found["compilers"].values():
        assert sorted(speeds) == ["graph", "xla"]
    assert found["first_step_seconds"] > 0
    assert found["resumed"]["same_bits"] is True
    assert "What to do" in found["refused"]
    assert set(found["right"].values()) == {True}


@pytest.mark.slow
def test_looks_at_a_few_runs_and_a_short_log_are_measured():
    done = benchmark("looks.py", "--runs", "3", "--events", "1000")
    # Whether it is quick enough is for the benchmark on a quiet machine.
    assert done.returncode in (0, 1), done.stderr[-3000:]
    lines = done.stdout.splitlines()
    assert [line.split(",")[0] for line in lines[:2]] == ["the list of 3 runs"] * 2
    assert all(float(line.split()[-2]) > 0 for line in lines[:4])
    assert lines[4].startswith("a later look within 20 ms: ")


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_server_is_measured_beside_a_plain_interface():
    done = benchmark("serving.py", "--rounds", "1", "--repeats", "5", "--seconds", "1", "--clients", "4")
    assert done.returncode in (0, 1), done.stderr[-3000:]
    found, _ = json.JSONDecoder().raw_decode(done.stdout)
    assert found["errors"] == {"layerwise": {}, "gradio": {}}
    assert found["ratio"] > 0
    assert found["milliseconds"]["http"]["p50"] > 0


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_few_visitors_are_measured():
    done = benchmark("serving.py", "--visitors", "4", "--minutes", "0.3", "--think", "1")
    assert done.returncode in (0, 1), done.stderr[-3000:]
    found, _ = json.JSONDecoder().raw_decode(done.stdout)
    assert found["errors"] == {}
    assert found["galleries"]
    assert {*found["p95_by_kind"]} == {"page", "example", "own"}


@pytest.mark.long
@pytest.mark.timeout(600)
def test_nothing_is_lost_when_the_server_is_killed_under_load():
    done = benchmark("serving.py", "--kills", "1", "--epochs", "300")
    assert done.returncode in (0, 1), done.stderr[-3000:]
    found, _ = json.JSONDecoder().raw_decode(done.stdout[done.stdout.index("{") :])
    assert (found["jobs"], found["lost_jobs"], found["lost_versions"]) == (2, 0, 0)
