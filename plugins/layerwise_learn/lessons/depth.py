"""Why depth matters."""

from __future__ import annotations

from dataclasses import dataclass

from layerwise import Experiment, Lesson, Settings, setting
from layerwise_learn.lessons.controls import seed

TEXT = r"""
One hidden layer is enough, in a sense: with enough units it comes as close as one likes to any continuous function
on a bounded region (Cybenko 1989, Hornik 1991). So why more layers? Because "enough" can be very many.

**Layers multiply, units add.** A ReLU network is a function of straight pieces. With one input, each unit of a hidden
layer adds at most one bend: $u$ units give at most $u + 1$ pieces. A second layer works on the result of the first, and
can repeat its own shape on each of the pieces.

The **sawtooth** of Telgarsky (2016) shows it in its purest form. The tent

$$T(x) = 2\,\mathrm{relu}(x) - 4\,\mathrm{relu}(x - \tfrac{1}{2})$$

needs two units. Applied to its own result it has twice as many teeth, applied $k$ times it has

$$2^k \text{ pieces from } 2k \text{ units.}$$

A network with one hidden layer needs at least $2^k - 1$ units for the same function, one for each bend. Ten layers of
two units stand against a thousand units, twenty against a million.

**Parity** asks whether the number of ones among $n$ bits is odd. It is the sawtooth in disguise: the sum of the bits,
divided by $n = 2^k$, through $k$ tents. A list of all the cases would need $2^{n-1}$ lines.

**What this does not say.** These functions are made for depth. Data of the real world often are built in levels too
(edges, parts, objects), which is one reason why deep networks win there. And that a deep network *can* hold a function
does not mean that training *finds* it. Random weights show it: they have far fewer pieces than depth allows. The depth
lab trains networks of equal size and measures.
"""


@dataclass(frozen=True, kw_only=True)
class SawtoothSettings(Settings):
    levels: int = setting(4, "How often the tent is applied: hidden layers of the deep network", minimum=1, maximum=10)


@dataclass(frozen=True, kw_only=True)
class ParitySettings(Settings):
    levels: int = setting(3, "Hidden layers of the deep network; it takes 2 to this power bits", minimum=1, maximum=4)


@dataclass(frozen=True, kw_only=True)
class RandomSettings(Settings):
    budget: int = setting(1000, "Parameters of each network", minimum=200, maximum=4000, log=True)
    gain: float = setting(1.0, "Factor on the usual starting weights", minimum=0.5, maximum=3)
    seed: int = seed()


LESSON = Lesson(
    name="depth",
    title="Why depth matters",
    chapter="Why it works",
    summary="Layers multiply where units only add: the sawtooth, parity, and what random weights make of it.",
    text=TEXT,
    experiments=(
        Experiment(
            name="sawtooth",
            title="The sawtooth: pieces of deep and wide networks",
            text="The weights are set, not learned. The pieces of each network are counted from its outputs.",
            show="layerwise_learn.experiments.depth:pieces_of_sawtooth",
            settings=SawtoothSettings,
        ),
        Experiment(
            name="parity",
            title="Parity: is the number of ones odd?",
            text="Both networks are asked about every possible input.",
            show="layerwise_learn.experiments.depth:parity",
            settings=ParitySettings,
        ),
        Experiment(
            name="random",
            title="And with random weights?",
            text="Networks with about as many parameters, of one to six hidden layers, as they are before training. "
            "Their pieces are counted along a straight line through the inputs.",
            show="layerwise_learn.experiments.depth:pieces_of_random",
            settings=RandomSettings,
        ),
    ),
    page="depth-lab",
)
