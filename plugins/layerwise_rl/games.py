"""Agents that play Atari from raw pixels: `rl/pong` and `rl/breakout`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from layerwise import ModelCard, ModelSpec, Variant
from layerwise.tasks import Control
from layerwise_rl.settings import PixelsConfig

if TYPE_CHECKING:
    import gymnasium
    import keras

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class AtariControl(Control):
    """What an agent does in a game of Atari, which it sees as pixels.

    Args:
        environment: As gymnasium calls it: "ALE/Pong-v5".
    """

    type_name: ClassVar[str] = "atari-control"
    network_takes: ClassVar[str] = (
        "Four pictures one after another, the newest last, in grey from 0 to 255 [example, 40, 40, 4]."
    )
    resting: int | None = 0
    measured: int = 30
    by_chance: bool = True

    @property
    def game(self) -> str:
        """The name of its ROM."""
        name = self.environment.removeprefix("ALE/").partition("-")[0]
        return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")

    def make(self, *, renders: bool = False) -> gymnasium.Env:
        from layerwise_rl.atari import AtariEnvironment

        return AtariEnvironment(self.game, renders=renders)

    def to_learn_in(self) -> gymnasium.Env:
        from layerwise_rl.atari import AtariEnvironment

        return AtariEnvironment(self.game, learns=True)


def build(config: PixelsConfig, task: Control) -> keras.Model:
    """The network of an agent that sees pixels."""
    from layerwise_rl.networks import seeing_actor_critic

    return seeing_actor_critic(task, config.filters, config.hidden_units, config.padding)


SMALL = PixelsConfig(
    num_epochs=200,
    steps_per_epoch=40_960,
    num_environments=32,
    processes=64,
    batch_size=256,
    learning_rate=7e-4,
    schedule="linear",
    rollout_steps=32,
    passes=4,
    clip_range=0.1,
    clip_falls=False,
    entropy_bonus=0.01,
    filters=(16, 32),
    milestones=10,
    episodes_measured=8,
)
LARGE = PixelsConfig(
    num_epochs=100,
    steps_per_epoch=102_400,
    num_environments=64,
    processes=64,
    batch_size=1024,
    learning_rate=5e-4,
    schedule="linear",
    rollout_steps=64,
    passes=4,
    clip_range=0.1,
    clip_falls=False,
    entropy_bonus=0.01,
    filters=(32, 64),
    hidden_units=512,
    milestones=8,
    episodes_measured=10,
)


PIXELS = (
    "Fifteen times a second it sees four pictures of 40 by 40 grey pixels, a sixteenth of the screen's, and does one "
    "of a few actions. Which of the pixels are the ball, and what a point is, it has to find out: proximal policy "
    "optimisation (Schulman et al. 2017) lets it play 32 games at a time, and makes more probable what went better "
    "than it had expected. A quarter of the frames go on with the former action by chance (Machado et al. 2018), so "
    "nothing can be learned by heart. Other games that come with ale-py: `layerwise train rl/pong --environment "
    "ALE/Freeway-v5`. "
)
LIMITS = "It has seen nothing but this game, at this speed, and is not told the rules: other colours would confuse it."


def _game(
    name: str, task: AtariControl, card: ModelCard, *, small: PixelsConfig = SMALL, weights: Path | None = None
) -> ModelSpec:
    return ModelSpec(
        name=name,
        task=task,
        build="layerwise_rl.games:build",
        config=PixelsConfig,
        train="layerwise_rl.ppo:train",
        variants=(
            Variant(name="small", summary="For two cores", config=small, fine_tuning=small, weights=weights),
            Variant(name="large", summary="For a GPU", config=LARGE, fine_tuning=LARGE),
        ),
        card=card,
    )


def models() -> list[ModelSpec]:
    """All of them."""
    pong = AtariControl(
        environment="ALE/Pong-v5",
        actions=("wait", "fire", "up", "down", "up and fire", "down and fire"),
        keys=("", " ", "ArrowUp", "ArrowDown", "", ""),
        # Chance has its part in the game itself, so the best actions do not go in circles.
        by_chance=False,
        known={"random": -20.7, "a person": 9.3},
    )
    breakout = AtariControl(
        environment="ALE/Breakout-v5",
        actions=("wait", "fire", "right", "left"),
        keys=("", " ", "ArrowRight", "ArrowLeft"),
        known={"random": 1.7, "a person": 31.8},
    )
    sources = (
        "https://arxiv.org/abs/1707.06347",
        "https://doi.org/10.1038/nature14236",
        "https://arxiv.org/abs/1709.06009",
    )
    return [
        _game(
            "rl/pong",
            pong,
            ModelCard(
                title="Pong",
                summary="Table tennis of 1972: the agent sees pixels and its score, and nothing else.",
                description=PIXELS + "Whoever has 21 points first wins; a return of 14 is 21 to 7.\n\n"
                "The agent that is shipped has played 4.9 million of its actions, in an hour on two cores that had "
                "other work too (epoch 120 of 200, where its training was stopped). Over 30 games its mean return is "
                "17.4, with a 95 % interval from 16.7 to 18.1; of somebody who presses anything it is −20.7, of a "
                "person 9.3 (Mnih et al. 2015, without sticky actions).",
                limits=LIMITS,
                sources=sources,
                picture=HERE / "pictures" / "pong.webp",
            ),
            # Nothing that counts is in the last rows and columns of this game.
            small=replace(SMALL, padding="valid"),
            weights=HERE / "weights" / "pong",
        ),
        _game(
            "rl/breakout",
            breakout,
            ModelCard(
                title="Breakout",
                summary="A ball, a paddle and a wall of bricks, seen as pixels.",
                description=PIXELS + "A brick is worth 1 to 7 points, and there are five balls.\n\n"
                "The agent that is shipped has played 3.3 million of its actions, in 43 minutes on two cores that had "
                "other work too (epoch 80 of 200, where its training was stopped while it still got better). Over 30 "
                "games its mean return is 46.0, with a 95 % interval from 41.8 to 50.1; of somebody who presses "
                "anything it is 1.7, of a person 31.8 (Mnih et al. 2015, without sticky actions).",
                limits=LIMITS,
                sources=sources,
                picture=HERE / "pictures" / "breakout.webp",
            ),
            weights=HERE / "weights" / "breakout",
        ),
    ]
