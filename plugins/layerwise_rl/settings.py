"""The settings of agents: apart from their algorithms, so that nothing heavy is imported to list them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwise import TrainingConfig, setting


@dataclass(frozen=True, kw_only=True)
class PlayingConfig(TrainingConfig):
    """The settings of everything that learns by playing. An epoch is a number of steps that are played."""

    unused: ClassVar[tuple[str, ...]] = (
        "label_smoothing",
        "validation_fraction",
        "frozen_epochs",
        "lora_rank",
        "patience",
    )
    steps_per_epoch: int = setting(
        5_000, "Steps that are played in an epoch", minimum=1, maximum=10_000_000, unit="steps", log=True
    )
    num_environments: int = setting(8, "Environments, or games, side by side", minimum=1, maximum=1024)
    milestones: int = setting(
        10, "How often the agent on its way is kept and measured", minimum=1, maximum=100, unit="times"
    )
    episodes_measured: int = setting(20, "Episodes, or games, by which it is measured then", minimum=1, maximum=1000)


@dataclass(frozen=True, kw_only=True)
class AgentConfig(PlayingConfig):
    """The settings of every agent in an environment of gymnasium."""

    environment: str = setting("", "Id of the gymnasium environment; empty for the model's own")
    processes: int = setting(
        1,
        "Processes that play in the environments, at most as many as there are processor cores",
        minimum=1,
        maximum=1024,
        advanced=True,
    )
    discount: float = setting(0.99, "Worth of a reward one step later", minimum=0, maximum=1)


@dataclass(frozen=True, kw_only=True)
class PPOConfig(AgentConfig):
    """The settings of proximal policy optimisation."""

    rollout_steps: int = setting(
        128, "Steps in each environment before the agent learns from them", minimum=1, maximum=65_536, unit="steps"
    )
    passes: int = setting(4, "How often it learns from the same steps", minimum=1, maximum=100, unit="times")
    trace: float = setting(0.95, "How far advantages look ahead (lambda)", minimum=0, maximum=1, advanced=True)
    clip_range: float = setting(
        0.2, "How far the probability of an action may change, as a share of it", minimum=0.001, maximum=10
    )
    clip_falls: bool = setting(True, "Whether that falls to zero over the training", advanced=True)
    entropy_bonus: float = setting(0.0, "Reward of undecidedness", minimum=0, maximum=1, log=True)
    value_weight: float = setting(0.5, "Weight of the value's error", minimum=0, maximum=10, advanced=True)
    gradient_norm: float = setting(0.5, "Largest norm of the gradients", minimum=1e-6, maximum=1e6, advanced=True)


@dataclass(frozen=True, kw_only=True)
class DensePPOConfig(PPOConfig):
    """The settings of agents that are told numbers."""

    hidden_layers: tuple[int, ...] = setting((64, 64), "Neurons of each hidden layer", minimum=1, maximum=4096)


@dataclass(frozen=True, kw_only=True)
class PixelsConfig(PPOConfig):
    """The settings of agents that see pixels."""

    filters: tuple[int, ...] = setting(
        (16, 32), "Filters of each convolution, each of which halves the picture", minimum=1, maximum=1024
    )
    hidden_units: int = setting(128, "Neurons of the layer above them", minimum=1, maximum=8192)
    padding: str = setting(
        "same",
        "Whether convolutions see the picture up to its borders (same), or leave out a few pixels at the right and at "
        "the bottom (valid)",
        choices=("same", "valid"),
        advanced=True,
    )


@dataclass(frozen=True, kw_only=True)
class DQNConfig(AgentConfig):
    """The settings of deep Q-learning."""

    hidden_layers: tuple[int, ...] = setting((256, 256), "Neurons of each hidden layer", minimum=1, maximum=4096)
    remembered: int = setting(
        100_000, "Steps that are remembered", minimum=100, maximum=10_000_000, unit="steps", log=True
    )
    steps_before_learning: int = setting(
        1_000, "Steps before the agent begins to learn", minimum=1, maximum=1_000_000, unit="steps"
    )
    steps_between: int = setting(
        256, "Steps in the environments between learning", minimum=1, maximum=100_000, unit="steps"
    )
    batches: int = setting(128, "Batches that it learns from then", minimum=1, maximum=10_000)
    target_every: int = setting(
        1, "After so many times of learning the target network is copied anew", minimum=1, maximum=100_000
    )
    exploring_share: float = setting(
        0.16, "Share of the training in which random actions become rarer", minimum=0.001, maximum=1
    )
    exploring_last: float = setting(0.04, "Share of random actions after that", minimum=0, maximum=1)
    gradient_norm: float = setting(10.0, "Largest norm of the gradients", minimum=1e-6, maximum=1e6, advanced=True)
