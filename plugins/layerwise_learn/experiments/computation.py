"""Operations, memory and time of training: by formula, and measured here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from layerwise.hardware.environment import cores, cpu_name
from layerwise.plots import Formula, Line, LinePlot, Plot, Table, Text
from layerwise_learn.experiments.architecture import count_parameters
from layerwise_learn.experiments.drawing import number
from layerwise_learn.experiments.networks import random_network
from layerwise_learn.experiments.training import Recipe, loss_of, trained
from layerwise_learn.lessons.computation import CostSettings, MeasureSettings, ScalingSettings

FLOAT32, ADAM_COPIES = 4, 4
"""Bytes of a number; weights, gradients and Adam's two means."""
PRODUCT_SIZES = (32, 64, 128, 256, 512, 1024)
SECONDS_EACH = 0.25
"""How long each measurement repeats what it measures; the fastest repetition counts, as others were disturbed."""
DATA_SIZES, STARTS, NUM_STEPS = (20, 40, 80, 160, 320, 640, 1280), 3, 2000
INPUTS, BATCH_SIZE, TEST_EXAMPLES = 8, 16, 2000


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """A GPU's published peaks in TFLOP/s: float32 on its ordinary units, 16 bits on its tensor cores, without sparsity;
    and its memory in GB."""

    name: str
    year: int
    float32: float
    tensor: float
    memory: int
    source: str


GPUS = (
    Gpu(name="NVIDIA T4", year=2018, float32=8.1, tensor=65, memory=16, source="T4 data sheet"),
    Gpu(name="NVIDIA A100 SXM", year=2020, float32=19.5, tensor=312, memory=80, source="A100 data sheet"),
    Gpu(name="NVIDIA RTX 4090", year=2022, float32=82.6, tensor=165, memory=24, source="Ada white paper"),
    Gpu(name="NVIDIA H100 SXM", year=2022, float32=67, tensor=989, memory=80, source="H100 data sheet"),
)


def count_weights(sizes: Sequence[int]) -> int:
    return sum(before * after for before, after in pairwise(sizes))


def step_operations(sizes: Sequence[int], batch_size: int) -> int:
    """The FLOPs of a training step: forward 2, backward 4 for each weight and example."""
    return 6 * count_weights(sizes) * batch_size


def cost(settings: CostSettings) -> list[Plot]:
    sizes = [settings.inputs, *[settings.width] * settings.hidden_layers, settings.outputs]
    weights, parameters = count_weights(sizes), count_parameters(sizes)
    operations = step_operations(sizes, settings.batch_size)
    steps = settings.num_epochs * -(-settings.num_examples // settings.batch_size)
    whole = 6 * weights * settings.num_examples * settings.num_epochs
    kept = FLOAT32 * ADAM_COPIES * parameters
    # z and a of every unit, and the inputs.
    values = FLOAT32 * settings.batch_size * (settings.inputs + 2 * sum(sizes[1:]))
    return [
        Formula(label="weights", latex=rf"W = {_latex(weights)}, \quad \text{{with biases }} {_latex(parameters)}"),
        Formula(
            label="one step",
            latex=rf"6 \cdot {_latex(weights)} \cdot {settings.batch_size} = {number(operations)} \text{{ FLOPs}}",
        ),
        Formula(
            label="the training",
            latex=rf"6 \cdot {_latex(weights)} \cdot {_latex(settings.num_examples)} \cdot {settings.num_epochs} = "
            rf"{number(whole)} \text{{ FLOPs in }} {_latex(steps)} \text{{ steps}}",
        ),
        Table(
            title="Memory in float32",
            columns=["what", "numbers", "size"],
            rows=[
                ["parameters, for inference", f"{parameters:,}", size(FLOAT32 * parameters)],
                ["parameters, gradients and Adam's means", f"{ADAM_COPIES * parameters:,}", size(kept)],
                [f"values of a batch of {settings.batch_size:,}", f"{values // FLOAT32:,}", size(values)],
                ["all that training keeps", f"{(kept + values) // FLOAT32:,}", size(kept + values)],
            ],
        ),
        _on_gpus(whole, "the whole training"),
    ]


def _latex(count: int) -> str:
    return f"{count:,}".replace(",", r"\,")


def size(count: float) -> str:
    """Bytes in a unit that fits.

    Example:
        >>> size(1536), size(16e9)
        ('1.54 kB', '16 GB')
    """
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} TB"


def seconds(value: float) -> str:
    """A time in a unit that fits.

    Example:
        >>> seconds(0.00123), seconds(90), seconds(1e6)
        ('1.23 ms', '1.5 minutes', '11.6 days')
    """
    for limit, unit, divisor in (
        (1e-3, "µs", 1e-6),
        (1, "ms", 1e-3),
        (60, "s", 1),
        (3600, "minutes", 60),
        (86_400, "hours", 3600),
    ):
        if value < limit:
            return f"{value / divisor:.3g} {unit}"
    return f"{value / 86_400:,.3g} days"


def _on_gpus(operations: float, what: str) -> Table:
    return Table(
        title=f"Estimate for GPUs: {what} at their published peak, which real programs reach in part",
        columns=["GPU", "float32", "time", "16 bits, tensor cores", "time", "memory", "peak after"],
        rows=[
            [
                f"{gpu.name} ({gpu.year})",
                f"{gpu.float32:g} TFLOP/s",
                seconds(operations / (gpu.float32 * 1e12)),
                f"{gpu.tensor:g} TFLOP/s",
                seconds(operations / (gpu.tensor * 1e12)),
                f"{gpu.memory} GB",
                gpu.source,
            ]
            for gpu in GPUS
        ],
    )


def fastest(call: Callable[[], object]) -> float:
    """The seconds of the fastest of many repetitions."""
    call()
    end = time.perf_counter() + SECONDS_EACH
    best = np.inf
    while best == np.inf or time.perf_counter() < end:
        begin = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - begin)
    return best


def measure(settings: MeasureSettings) -> Iterator[list[Plot]]:
    generator = np.random.default_rng(0)
    rates: dict[str, list[float]] = {"float32": [], "float64": []}
    for side in PRODUCT_SIZES:
        for precision, measured in rates.items():
            left, right = generator.normal(size=(2, side, side)).astype(precision)
            measured.append(2 * side**3 / fastest(lambda left=left, right=right: left @ right) / 1e9)
        yield [_products(rates)]
    sizes = [784, settings.width, settings.width, 10]
    network = random_network(sizes, "relu", seed=0)
    inputs = generator.normal(size=(settings.batch_size, sizes[0]))
    targets = generator.integers(0, sizes[-1], settings.batch_size)
    forward = fastest(lambda: network.forward(inputs))
    step = fastest(lambda: network.step(inputs, targets, loss="cross_entropy", learning_rate=0.01))
    operations = step_operations(sizes, settings.batch_size)
    peak = max(rates["float64"])
    yield [
        _products(rates),
        Table(
            title=f"This network: {count_parameters(sizes):,} parameters, batches of {settings.batch_size:,}, float64",
            columns=["what", "FLOPs by formula", "time, measured", "GFLOP/s", "of the fastest product"],
            rows=[
                _row("forward pass", operations / 3, forward, peak),
                _row("training step", operations, step, peak),
            ],
        ),
        Text(
            text=f"That is {settings.batch_size / step:,.0f} examples a second in training, and "
            f"{settings.batch_size / forward:,.0f} in inference."
        ),
        _on_gpus(operations, "one training step of this network"),
        Text(
            text="A step that would take microseconds does not keep a GPU busy: starting each operation takes some "
            "microseconds itself. GPUs pay for large networks and large batches."
        ),
    ]


def _products(rates: dict[str, list[float]]) -> LinePlot:
    return LinePlot(
        title=f"Matrix products on {cpu_name()}, {cores()} cores",
        lines=[
            Line(label=f"{precision}, measured", x=PRODUCT_SIZES[: len(measured)], y=measured)
            for precision, measured in rates.items()
        ],
        x_label="rows and columns",
        y_label="GFLOP/s",
        x_range=(PRODUCT_SIZES[0], PRODUCT_SIZES[-1]),
        x_log=True,
        y_log=True,
    )


def _row(what: str, operations: float, taken: float, peak: float) -> list[str]:
    rate = operations / taken / 1e9
    return [what, f"{operations:.3g}", seconds(taken), f"{rate:.3g}", f"{rate / peak:.0%}"]


def scaling(settings: ScalingSettings) -> Iterator[list[Plot]]:
    errors: list[list[float]] = []
    for count in DATA_SIZES:
        errors.append([error_after(count, settings.width, STARTS * settings.seed + start) for start in range(STARTS)])
        yield _scaling_plots(np.array(errors))


def error_after(count: int, width: int, seed: int) -> float:
    """The error of a network that learned from `count` examples of another, random network: the mean squared error on
    fresh examples, as a share of the variance."""
    random = np.random.default_rng(seed)
    inputs, fresh = random.normal(size=(count, INPUTS)), random.normal(size=(TEST_EXAMPLES, INPUTS))
    teacher = random_network([INPUTS, 16, 1], "tanh", seed=seed, gain=3.0)
    targets, wanted = (teacher.forward(x)["output"][:, 0] for x in (inputs, fresh))
    scale = wanted.std()
    recipe = Recipe(
        loss="squared_error",
        learning_rate=0.01,
        num_epochs=-(-NUM_STEPS // -(-count // BATCH_SIZE)),
        batch_size=BATCH_SIZE,
        seed=seed,
    )
    student = trained(random_network([INPUTS, width, 1], "tanh", seed=seed + 1), inputs, targets / scale, recipe)
    return loss_of(student, fresh, wanted / scale, "squared_error")


def _scaling_plots(errors: np.ndarray) -> list[Plot]:
    """`errors` [sizes so far, starts]."""
    done = np.array(DATA_SIZES[: len(errors)])
    logarithms = np.log(errors)
    middle = np.exp(logarithms.mean(axis=1))
    lines = [
        Line(
            label="mean and range of three networks", x=done, y=middle, low=errors.min(axis=1), high=errors.max(axis=1)
        )
    ]
    told = f"{errors.size} of {STARTS * len(DATA_SIZES)} networks are trained."
    if len(done) > 2:
        slope, height = np.polyfit(np.log(done), logarithms.mean(axis=1), 1)
        lines.append(Line(label="power law", x=done, y=np.exp(height) * done**slope, kind="dashed"))
        told += f" The power law through the points is $N^{{{slope:.2f}}}$: ten times the data leave "
        told += f"{10**slope:.0%} of the error."
    return [
        LinePlot(
            title="Error by number of training examples",
            lines=lines,
            x_label="training examples N",
            y_label="squared error, as a share of the variance",
            x_log=True,
            y_log=True,
            x_range=(DATA_SIZES[0], DATA_SIZES[-1]),
        ),
        Text(text=told),
    ]
