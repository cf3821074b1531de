"""Agents in small worlds: `rl/cartpole` and its like."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from layerwise import ModelCard, ModelSpec, Variant
from layerwise.tasks import Control
from layerwise_rl.settings import DQNConfig, PPOConfig

if TYPE_CHECKING:
    import keras

HERE = Path(__file__).parent
GYMNASIUM = "https://gymnasium.farama.org"
PPO_PAPER, DQN_PAPER = "https://arxiv.org/abs/1707.06347", "https://doi.org/10.1038/nature14236"


def build_ppo(config: PPOConfig, task: Control) -> keras.Model:
    """The network of an agent by proximal policy optimisation."""
    from layerwise_rl.networks import actor_critic

    return actor_critic(task, config.hidden_layers)


def build_dqn(config: DQNConfig, task: Control) -> keras.Model:
    """The network of an agent by deep Q-learning."""
    from layerwise_rl.networks import action_values

    return action_values(task, config.hidden_layers)


def models() -> list[ModelSpec]:
    """All of them."""
    cartpole = Control(
        environment="CartPole-v1",
        actions=("push left", "push right"),
        keys=("ArrowLeft", "ArrowRight"),
        known={"the most there is": 500.0},
    )
    ppo = ModelSpec(
        name="rl/cartpole",
        task=cartpole,
        build="layerwise_rl.control:build_ppo",
        config=PPOConfig,
        train="layerwise_rl.ppo:train",
        variants=(
            Variant(
                name="ppo",
                summary="Proximal policy optimisation",
                config=PPOConfig(
                    num_epochs=20,
                    batch_size=256,
                    learning_rate=1e-3,
                    schedule="linear",
                    discount=0.98,
                    trace=0.8,
                    rollout_steps=32,
                    passes=20,
                ),
                weights=HERE / "weights" / "cartpole",
            ),
        ),
        card=ModelCard(
            title="Cart and pole",
            summary="An agent learns in a minute to balance a pole on a cart, by trying.",
            sources=(PPO_PAPER, GYMNASIUM),
        ),
    )
    dqn = ModelSpec(
        name="rl/cartpole-dqn",
        task=cartpole,
        build="layerwise_rl.control:build_dqn",
        config=DQNConfig,
        train="layerwise_rl.dqn:train",
        variants=(
            Variant(
                name="dqn",
                summary="Deep Q-learning",
                config=DQNConfig(
                    num_epochs=10,
                    batch_size=64,
                    learning_rate=2.3e-3,
                    schedule="constant",
                    num_environments=1,
                    hidden_layers=(256, 256),
                ),
            ),
        ),
        card=ModelCard(
            title="Cart and pole by deep Q-learning",
            summary="The same world, learned from memories of what each action brought.",
            sources=(DQN_PAPER, GYMNASIUM),
        ),
    )
    return [ppo, dqn]
