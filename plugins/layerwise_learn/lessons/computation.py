"""What training costs: parameters, operations, memory, time; and what data bring."""

from __future__ import annotations

from dataclasses import dataclass

from layerwise import Experiment, Lesson, Settings, setting
from layerwise_learn.lessons.controls import seed

TEXT = r"""
How long will it take, and will it fit? Both can be estimated before the training starts.

**Operations.** A dense layer from $n$ to $m$ units multiplies and adds $n \cdot m$ times for each example: two
floating-point operations (FLOPs) for each weight. The backward pass needs twice that, once for the gradients of the
weights and once for those of the layer before. With $W$ weights and a batch of $B$ examples, one step of training takes
about

$$6 \cdot W \cdot B \text{ FLOPs}$$

Biases and activation functions are little beside it. A whole training takes $6 \cdot W$ for each example that is
seen, repetitions counted.

**Memory.** In training, each parameter is kept four times: itself, its gradient and the two running means of Adam. In
float32 (4 bytes) that is 16 bytes a parameter. To it come the values of every unit for every example of the batch,
which the backward pass needs.

**Time.** A processor has a peak, in FLOPs per second. Real programs reach a part of it: small matrices do not keep all
units of the processor busy, and data have to be moved. So one measures. The second experiment does it on the machine
on which Layerwise runs.

**GPUs** multiply matrices on thousands of small units at once, so their peak is ten to a thousand times that of a
few processor cores. Numbers of 16 bits are enough for most of training and several times as fast: **tensor cores**
multiply whole tiles of matrices.

**Data.** More examples make a network better, but ever more slowly: often the error falls like a power of their number,
$N^{-\alpha}$, a straight line on logarithmic axes. Ten times the data bring the same factor each time, and cost ten
times as much to train on. Large models are planned with such lines, called **scaling laws**.
"""


@dataclass(frozen=True, kw_only=True)
class CostSettings(Settings):
    inputs: int = setting(784, "Inputs", minimum=1, maximum=16_384, log=True)
    width: int = setting(512, "Units of each hidden layer", minimum=1, maximum=8192, log=True)
    hidden_layers: int = setting(2, "Hidden layers", minimum=1, maximum=24)
    outputs: int = setting(10, "Outputs", minimum=1, maximum=1000, log=True)
    batch_size: int = setting(128, "Examples of a step", minimum=1, maximum=8192, unit="examples", log=True)
    num_examples: int = setting(60_000, "Training examples", minimum=100, maximum=10_000_000, unit="examples", log=True)
    num_epochs: int = setting(10, "Epochs", minimum=1, maximum=100, unit="epochs")


@dataclass(frozen=True, kw_only=True)
class MeasureSettings(Settings):
    width: int = setting(256, "Units of each of two hidden layers", minimum=8, maximum=1024, log=True)
    batch_size: int = setting(128, "Examples of a step", minimum=1, maximum=512, unit="examples", log=True)


@dataclass(frozen=True, kw_only=True)
class ScalingSettings(Settings):
    width: int = setting(32, "Units of the hidden layer", minimum=2, maximum=64, log=True)
    seed: int = seed()


LESSON = Lesson(
    name="computation",
    title="What training costs",
    chapter="Training well",
    summary="Parameters, operations, memory and time: by formula, and measured on this machine; what a GPU would do.",
    text=TEXT,
    experiments=(
        Experiment(
            name="cost",
            title="By formula",
            text="A dense network: what it takes to hold and to train it.",
            show="layerwise_learn.experiments.computation:cost",
            settings=CostSettings,
        ),
        Experiment(
            name="measure",
            title="Measured on this machine",
            text="First products of matrices of growing size, then training steps of a network with 784 inputs and 10 "
            "outputs, in NumPy. The times vary with whatever else the machine does.",
            show="layerwise_learn.experiments.computation:measure",
            settings=MeasureSettings,
            button="Measure",
        ),
        Experiment(
            name="scaling",
            title="What more data bring",
            text="A network learns a function of eight inputs from 20 to 1,280 examples, with the same number of steps "
            "each time, three times with other functions and other starting weights. This task was chosen since its "
            "line is straight; the lines of others bend, or end where the task allows no smaller error.",
            show="layerwise_learn.experiments.computation:scaling",
            settings=ScalingSettings,
            button="Train twenty-one networks",
        ),
    ),
)
