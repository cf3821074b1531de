"""The settings of the networks for molecules."""

from __future__ import annotations

from dataclasses import dataclass

from layerwise import TrainingConfig, setting


@dataclass(frozen=True, kw_only=True)
class MoleculeConfig(TrainingConfig):
    """The settings of both networks; each uses those that it knows."""

    hidden_units: tuple[int, ...] = setting(
        (64, 64), "Width of each hidden layer of a member of the ensemble", minimum=1, maximum=4096, unit="units"
    )
    drop_groups: float = setting(0.2, "Share of the groups of atoms left out in a step", minimum=0, maximum=0.9)
    noise: float = setting(
        0.1, "Noise on the descriptors in a step, in their standard deviations", minimum=0, maximum=3
    )
    drop_descriptors: float = setting(0.05, "Share of the descriptors left out in a step", minimum=0, maximum=0.9)
    dropout: float = setting(0.1, "Share of hidden units zeroed in a step", minimum=0, maximum=0.9)
    group_scale: float = setting(
        0.1, "How much groups of atoms count beside the descriptors at first", minimum=0, maximum=10, advanced=True
    )
    message_units: int = setting(32, "Numbers that stand for an atom in the graph", minimum=1, maximum=1024)
    message_layers: int = setting(3, "How many bonds away an atom hears of others", minimum=0, maximum=12)
