"""Agents in small worlds: `rl/cartpole` and its like."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from layerwise import ModelCard, ModelSpec, Variant
from layerwise.tasks import Control
from layerwise_rl.settings import DensePPOConfig, DQNConfig

if TYPE_CHECKING:
    import keras

HERE = Path(__file__).parent
GYMNASIUM = "https://gymnasium.farama.org"
PPO_PAPER, DQN_PAPER = "https://arxiv.org/abs/1707.06347", "https://doi.org/10.1038/nature14236"


def build_ppo(config: DensePPOConfig, task: Control) -> keras.Model:
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
        config=DensePPOConfig,
        train="layerwise_rl.ppo:train",
        variants=(
            Variant(
                name="ppo",
                summary="Proximal policy optimisation",
                config=DensePPOConfig(
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
            description=(
                "Every fiftieth of a second it is told four numbers: where the cart is, how the pole leans, and how "
                "fast both move. It pushes left or right, and is paid 1 for each moment that the pole stands; after "
                "500 it is over. Nobody tells it how: proximal policy optimisation lets it play in eight worlds at a "
                "time, and makes more probable what went better than its second network had expected. The slider "
                "shows what it was on its way. Its training is 100,000 moments long: half an hour of balancing.\n\n"
                "Any world of [gymnasium](https://gymnasium.farama.org) can be learned in, with actions that are few "
                "or numbers: `layerwise train rl/cartpole --environment Acrobot-v1 --num-epochs 60`; LunarLander "
                'and its like need `pip install "layerwise[rl]"`.'
            ),
            limits=(
                "It knows one cart. Its returns are means of episodes that begin nearly upright; a pole that leans far "
                "or is pushed by somebody else was never seen."
            ),
            sources=(PPO_PAPER, GYMNASIUM),
            picture=HERE / "pictures" / "cartpole.webp",
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
                    hidden_layers=(128, 128),
                ),
                weights=HERE / "weights" / "cartpole-dqn",
            ),
        ),
        card=ModelCard(
            title="Cart and pole by deep Q-learning",
            summary="The same world, learned from memories of what each action brought.",
            description=(
                "One network says which return it expects of each push. The agent does the better one, or now and then "
                "any, remembers what came of it, and learns from memories drawn at random: a value is the reward, and "
                "what a former copy of the network expects after it. Watch how its returns rise and fall: what it "
                "learns from depends on what it does."
            ),
            limits="It goes up and down more than the other agent, and needs actions that are few.",
            sources=(DQN_PAPER, GYMNASIUM),
            picture=HERE / "pictures" / "cartpole-dqn.webp",
        ),
    )
    return [ppo, dqn]
