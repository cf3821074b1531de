"""The page of the depth lab: its texts and controls. What they show is in `layerwise_learn.depth.experiments`, which is
imported at the first use, as it needs NumPy and Keras.
"""

from __future__ import annotations

from dataclasses import dataclass

from layerwise import Experiment, Page, Settings, setting

TARGET_NAMES = ("sawtooth", "composed", "parity", "pictures", "fashion")
"""Those of `layerwise_learn.depth.targets.TARGETS`."""

MEASURED = r"""
Networks with the same number of parameters, some wide, some deep. Each dot is the median of ten trainings, each with
its own random weights and examples; the band is its 95 % interval. Two kinds are compared: plain ReLU layers, and
layers with skip connections and layer normalization. The second plot asks the other way round: how many parameters do
plain networks of each depth need to reach an error?

Look at all five. Is deeper always better? Where does a wide band come from?
"""

YOUR_OWN = r"""
The same on this machine, with six trainings of each depth at once. It begins with one hidden layer and adds others: a
minute or so with the settings below, and you can stop it.
"""


def _target() -> str:
    return setting("sawtooth", "What is to be learned", choices=TARGET_NAMES)


@dataclass(frozen=True, kw_only=True)
class MeasuredSettings(Settings):
    target: str = _target()


@dataclass(frozen=True, kw_only=True)
class OwnSettings(Settings):
    target: str = _target()
    budget: int = setting(2_000, "Parameters of each network", minimum=250, maximum=16_000, log=True)
    deepest: int = setting(6, "Hidden layers of the deepest network", minimum=2, maximum=8)
    num_steps: int = setting(5_000, "Training steps", minimum=250, maximum=10_000, unit="steps", log=True)
    learning_rate: float = setting(0.01, "Learning rate at the start", minimum=0.0001, maximum=0.1, log=True)
    residual: bool = setting(False, "Train networks with skip connections and normalization, too")


PAGE = Page(
    name="depth-lab",
    title="Depth lab",
    section="learn",
    summary="Deep or wide, with the same number of parameters: what depth brings, measured.",
    experiments=(
        Experiment(
            name="measured",
            title="What was measured",
            text=MEASURED,
            show="layerwise_learn.depth.experiments:measured",
            settings=MeasuredSettings,
        ),
        Experiment(
            name="own",
            title="Measure it yourself",
            text=YOUR_OWN,
            show="layerwise_learn.depth.experiments:own",
            settings=OwnSettings,
            button="Train",
        ),
    ),
)
