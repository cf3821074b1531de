"""What a GPU is worth to Layerwise, and whether it may be trusted with a training.

    python benchmarks/gpu.py --out gpu.json
    python benchmarks/gpu.py --device cpu --quick       tries the script itself, on a machine without a GPU

Dense, convolutional and transformer networks (benchmarks/peers.py), in float32 and mixed_bfloat16: examples per second
of Layerwise, Keras' fit, PyTorch and JAX in turn, how busy they keep the card and how much of its memory they take; XLA
or none; the accuracy on Fashion-MNIST beside that on the CPU; the time to the first step; a run that is killed and
resumed; a network that does not fit. LAYERWISE_DATA must name a folder with Fashion-MNIST, or the cache hold it. The
exit status says whether what is either right or wrong is right; speeds have no bar here.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
from cards import query, watched
from peers import BATCH, EXAMPLES, PRECISIONS, RATE, SHAPES, SIDES, keras_model
from runs import MODEL, VARIANT, first_step
from training import JAX, OURS, Runner

from layerwise import jobs
from layerwise.hardware.environment import environment
from layerwise.hardware.slots import num_gpus, visible_devices
from layerwise.registry import Registry
from layerwise.runs import Run, RunStore

COMPARED = (OURS, JAX, "keras fit", "PyTorch", "JAX with optax")
COMPILERS = ("xla", "graph")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is done.

    Args:
        slot: The part of the machine (`layerwise.hardware.slots`): "gpu0" or "cpu".
        sides: Which ways to train are compared (`peers.SIDES`).
        examples: Of each network, for the speeds.
        rounds: Epochs of each side.
        seconds: How long each is watched.
        learned_from: Pictures of Fashion-MNIST for the accuracies.
        epochs: How often they are seen.
        resumed_epochs: Of the run that is killed.
    """

    slot: str
    sides: tuple[str, ...] = COMPARED
    examples: int = 60_000
    rounds: int = 7
    seconds: float = 5.0
    learned_from: int = 60_000
    epochs: int = 5
    resumed_epochs: int = 10


def quick(slot: str) -> Plan:
    """Enough to see that the script works."""
    sides = (OURS, "PyTorch")
    return Plan(
        slot=slot, sides=sides, examples=1_024, rounds=1, seconds=0, learned_from=2_000, epochs=1, resumed_epochs=3
    )


def speeds(plan: Plan, network: str, precision: str) -> dict[str, dict[str, Any]]:
    """By side: examples per second (the median of the rounds), the last loss, and of the card the memory that the side
    takes (bytes) and the share of time in which it computes (percent); None for these two on a CPU."""
    runners: dict[str, Runner] = {}
    found: dict[str, dict[str, Any]] = {}
    try:
        for name in plan.sides:
            if SIDES[name].missing:
                found[name] = {"left_out": f"{' and '.join(SIDES[name].missing)} not installed"}
                continue
            before = _memory_used(plan.slot)
            options = ("--examples", str(plan.examples), "--precision", precision)
            runners[name] = Runner(name, SIDES[name], network, *options)
            if not runners[name].is_ready():
                runners.pop(name).close()
                found[name] = {"left_out": f"it failed: python benchmarks/peers.py {name!r} {network} shows how"}
                continue
            found[name] = {"memory": None if before is None else _memory_used(plan.slot) - before}
        epochs = _in_turn(runners, plan.rounds)
        for name, runner in runners.items():
            seconds = median(epoch["seconds"] for epoch in epochs[name])
            found[name] |= {
                "examples_per_second": plan.examples // BATCH * BATCH / seconds,
                "loss": epochs[name][-1]["loss"],
                "utilization": _utilization(plan, runner),
            }
    finally:
        for runner in runners.values():
            runner.close()
    return found


def _in_turn(runners: dict[str, Runner], rounds: int) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in runners}
    for number in range(rounds):
        for name, runner in list(runners.items())[:: 1 if number % 2 else -1]:
            found[name].append(runner.epoch())
    return found


def _memory_used(slot: str) -> Any:
    return None if slot == "cpu" else int(query(slot, "memory.used")[0]) * 2**20


def _utilization(plan: Plan, runner: Runner) -> float | None:
    if plan.slot == "cpu":
        return None
    with watched(plan.slot) as samples:
        end = time.monotonic() + plan.seconds
        while time.monotonic() < end:
            runner.epoch()
    # The driver looks back for up to a second, so the first samples tell of what was before.
    return mean(sample["utilization"] for sample in samples[len(samples) // 4 :])


def compilers(plan: Plan, network: str) -> dict[str, float]:
    """Examples per second of Layerwise on TensorFlow, with XLA and without."""
    runners = {
        name: Runner(OURS, SIDES[OURS], network, "--examples", str(plan.examples), "--compiler", name)
        for name in COMPILERS
    }
    try:
        for name in COMPILERS:
            if not runners[name].is_ready():
                runners.pop(name).close()
        epochs = _in_turn(runners, plan.rounds)
    finally:
        for runner in runners.values():
            runner.close()
    return {
        name: plan.examples // BATCH * BATCH / median(epoch["seconds"] for epoch in found)
        for name, found in epochs.items()
    }


def learned(network: str, precision: str, examples: int, epochs: int) -> dict[str, float]:
    """The accuracy on the test pictures after training, and how many these are. In a process of its own."""
    from layerwise import engines
    from layerwise.compilation import uses_xla
    from layerwise.data import load
    from layerwise.devices import prepare

    prepare(precision)
    import keras

    def placed(split: Any, count: int) -> tuple[Any, Any]:
        pictures = split.inputs[:count].astype(np.float32) / 255
        return pictures.reshape(-1, *SHAPES[network]), split.targets[:count]

    def accuracy(targets: Any, outputs: Any) -> Any:
        return keras.ops.mean(keras.metrics.sparse_categorical_accuracy(targets, outputs))

    splits = load(Registry().snapshot().dataset("fashion-mnist")).splits
    model, rng = keras_model(network), np.random.default_rng(0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    trainer = engines.current().Trainer(
        model, keras.optimizers.Adam(RATE), loss, {"accuracy": accuracy}, xla=uses_xla(model, "auto")
    )
    data = trainer.place(*placed(splits["train"], examples))
    for _ in range(epochs):
        order = rng.permutation(examples)[: examples // BATCH * BATCH].reshape(-1, BATCH).astype(np.int32)
        trainer.train(data, order, 0, len(order))
    inputs, targets = placed(splits["test"], len(splits["test"].targets))
    right = 0.0
    for start in range(0, len(targets), 1_000):
        batch = trainer.place(inputs[start : start + 1_000], targets[start : start + 1_000])
        count = len(targets[start : start + 1_000])
        right += trainer.evaluate_batch(batch, 0, count)["accuracy"] * count
    return {"accuracy": right / len(targets), "examples": len(targets)}


def accuracies(plan: Plan, network: str) -> dict[str, Any]:
    """The accuracy on the device in each precision, that of float32 on the CPU, and whether they are the same but for
    noise: three standard errors of the difference, and one hundredth for the order of the roundings."""
    found = {
        precision: in_process(plan.slot, learned, network, precision, plan.learned_from, plan.epochs)
        for precision in PRECISIONS
    }
    reference = found["float32"]
    if plan.slot != "cpu":
        reference = in_process("cpu", learned, network, "float32", plan.learned_from, plan.epochs)
    share = reference["accuracy"]
    noise = 3 * (2 * share * (1 - share) / reference["examples"]) ** 0.5 + 0.01
    return {
        "cpu": share,
        **{precision: figure["accuracy"] for precision, figure in found.items()},
        "same": all(abs(figure["accuracy"] - share) <= noise for figure in found.values()),
    }


def in_process(slot: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function of this module returns in a new process that sees nothing but the devices of a slot."""
    environment = visible_devices((slot,))
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _set_variables, (environment,)) as pool:
        return pool.submit(function, *arguments).result()


def _set_variables(environment: dict[str, str]) -> None:
    os.environ.update(environment)


def resumed(plan: Plan) -> dict[str, Any]:
    """A run is killed after its first checkpoint and resumed. Says whether it ended, where it went on, and whether its
    weights are those of a run that nobody killed."""
    with tempfile.TemporaryDirectory() as folder:
        killed, other = (_run(Path(folder) / name, plan) for name in ("killed", "other"))
        process = _process(killed)
        while process.poll() is None and not any(event["event"] == "checkpoint" for event in killed.events()):
            time.sleep(0.01)
        process.kill()
        process.wait()
        for run in (killed, other):
            _process(run).wait()
        starts = [event for event in killed.events() if event["event"] == "started"]
        return {
            "states": [killed.state, other.state],
            "went_on_at": {name: starts[-1][name] for name in ("epoch", "step")} if len(starts) > 1 else None,
            "same_bits": _weights(killed) is not None and _weights(killed) == _weights(other),
        }


def _run(home: Path, plan: Plan, **changes: Any) -> Run:
    spec = Registry(home).snapshot().model(MODEL)
    settings = {"num_epochs": plan.resumed_epochs, "checkpoint_minutes": 0.0, "deterministic": True, **changes}
    return RunStore(home).create(spec, VARIANT, dataclasses.replace(spec.variant(VARIANT).config, **settings))


def _process(run: Run) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-m", jobs.__name__, str(run.folder)], stderr=subprocess.DEVNULL)


def _weights(run: Run) -> dict[str, bytes] | None:
    from layerwise.weights import read_arrays

    folder = run.version_folder
    return None if folder is None else {name: array.tobytes() for name, array in read_arrays(folder).items()}


def refused(plan: Plan) -> str:
    """The reason that a run gives whose network no memory holds."""
    with tempfile.TemporaryDirectory() as folder:
        run = _run(Path(folder), plan)
        in_process(plan.slot, _train_too_large, run.folder)
        return run.reason


def _train_too_large(folder: Path) -> None:
    from layerwise.context import Context
    from layerwise.training import fit

    run = Run(folder)
    context = Context.of(run, Registry(folder.parent.parent).snapshot())
    context.spec = dataclasses.replace(context.spec, build=_too_large)
    with (folder / "log.txt").open("a") as log, contextlib.redirect_stderr(log):
        jobs.conduct(run, lambda: fit(context))


def _too_large(config: Any, task: Any) -> Any:
    import keras

    layers = [keras.layers.Flatten(), keras.layers.Dense(2**18), keras.layers.Dense(2**30)]
    return keras.Sequential([keras.Input((*task.size, task.channels)), *layers])


def machine(plan: Plan) -> dict[str, Any]:
    """What it was measured on."""
    found: dict[str, Any] = {"environment": environment(), "device": environment()["cpu"], "driver": None}
    if plan.slot != "cpu":
        found["device"], found["driver"] = query(plan.slot, "name", "driver_version")
    return found


def first_step_seconds() -> float | str:
    """From the command `layerwise train` to the first finished step, or why it could not be measured."""
    try:
        return first_step(1)["seconds to the first finished step"]
    except SystemExit as error:
        return str(error)


def measured(plan: Plan) -> dict[str, Any]:
    """Everything, printed as it comes."""
    results: dict[str, Any] = {**machine(plan), "plan": dataclasses.asdict(plan)}
    print(f"on {results['device']}" + (f", driver {results['driver']}" if results["driver"] else ""), flush=True)
    results["speeds"] = {network: {} for network in EXAMPLES}
    for network in EXAMPLES:
        for precision in PRECISIONS:
            results["speeds"][network][precision] = found = speeds(plan, network, precision)
            print_speeds(network, precision, found)
    results["compilers"] = {}
    for network in EXAMPLES:
        results["compilers"][network] = found = compilers(plan, network)
        said = ", ".join(f"{name} {speed:,.0f} examples/s" for name, speed in found.items())
        print(f"compilers, {network}: {said}", flush=True)
    results["accuracies"] = {}
    for network in EXAMPLES:
        results["accuracies"][network] = found = accuracies(plan, network)
        said = ", ".join(f"{name} {share:.4f}" for name, share in found.items() if name != "same")
        print(f"accuracy, {network}: {said}", flush=True)
    results["first_step_seconds"] = first_step_seconds()
    print(f"seconds to the first step: {results['first_step_seconds']}", flush=True)
    results["resumed"] = resumed(plan)
    print(f"killed and resumed: {results['resumed']}", flush=True)
    results["refused"] = refused(plan)
    print(f"a network too large: {results['refused']}", flush=True)
    results["right"] = judged(results)
    return results


def print_speeds(network: str, precision: str, found: dict[str, dict[str, Any]]) -> None:
    """A table of what `speeds` found."""
    print(f"\n{f'{network}, {precision}':32}examples/s   busy %   memory GB   loss")
    for name, figures in found.items():
        if "left_out" in figures:
            print(f"{name:32}left out: {figures['left_out']}")
            continue
        busy = "-" if figures["utilization"] is None else f"{figures['utilization']:.0f}"
        memory = "-" if figures["memory"] is None else f"{figures['memory'] / 1e9:.1f}"
        speed, loss = figures["examples_per_second"], figures["loss"]
        print(f"{name:32}{speed:10,.0f}{busy:>9}{memory:>12}{loss:7.3f}", flush=True)


def judged(results: dict[str, Any]) -> dict[str, bool]:
    """By what it says: whether it is right."""
    return {
        "accuracies are those of the CPU": all(found["same"] for found in results["accuracies"].values()),
        "a killed run goes on": results["resumed"]["went_on_at"] is not None
        and results["resumed"]["states"] == ["finished", "finished"],
        "its weights are those of an uninterrupted one": results["resumed"]["same_bits"],
        "too large a network is refused in a sentence": results["refused"].startswith("The device's memory ran out"),
    }


def main() -> int:
    """Measure, print, and return 1 when something is not right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("gpu", "cpu"), default="gpu")
    parser.add_argument("--quick", action="store_true", help="little of everything, to try the script")
    parser.add_argument("--out", type=Path, help="a file for the figures")
    options = parser.parse_args()
    if options.device == "gpu" and num_gpus() == 0:
        print("There is no NVIDIA GPU on this machine; --device cpu --quick tries the script without one.")
        return 1
    slot = "cpu" if options.device == "cpu" else "gpu0"
    os.environ.update(visible_devices((slot,)))  # all that is started sees this device only
    results = measured(quick(slot) if options.quick else Plan(slot=slot))
    if options.out:
        options.out.write_text(json.dumps(results, indent=2) + "\n")
    for what, is_right in results["right"].items():
        print(f"{what}: {'yes' if is_right else 'NO'}")
    return int(not all(results["right"].values()))


if __name__ == "__main__":
    sys.exit(main())
