"""`rl/othello`: an agent that has learned Othello by playing against itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerwise import Example, ModelCard, ModelSpec, Variant
from layerwise_othello.task import Othello, OthelloConfig

if TYPE_CHECKING:
    import keras


def build(config: OthelloConfig, task: Othello) -> keras.Model:
    """The network that looks at a board."""
    from layerwise_othello.network import residual_network

    return residual_network(config.filters, config.blocks)


def examples() -> list[Example]:
    """Games that have begun, for who asks without a board."""
    return [
        Example(inputs={"moves": [], "simulations": 16}, label="the first move"),
        Example(inputs={"moves": ["D3", "C5", "D6"], "simulations": 16}, label="the Tiger opening"),
    ]


OTHELLO = ModelSpec(
    name="rl/othello",
    task=Othello(),
    build=build,
    config=OthelloConfig,
    train="layerwise_othello.learning:train",
    examples=examples,
    variants=(
        Variant(
            name="small",
            summary="Two blocks of 24 filters",
            config=OthelloConfig(
                num_epochs=12, steps_per_epoch=2_900, num_environments=24, batch_size=128, learning_rate=0.004
            ),
        ),
    ),
    card=ModelCard(
        title="Othello",
        summary="Play Othello against an agent that was told the rules, and nothing else.",
        description=(
            "Stones that are enclosed between two of the other colour turn, and who has the most at the end wins. A "
            "network of residual convolutions says which moves are worth a look, who wins and whose each square will "
            "be; a tree search asks it about the positions ahead (AlphaZero, Silver et al. 2018). Nothing was shown to "
            "it: it has played some hundred games against itself, and learned what its own search had found. A "
            "training takes two minutes on a laptop."
        ),
        limits="It was measured against simple opponents alone; programs made for Othello are far stronger.",
        sources=("https://doi.org/10.1126/science.aar6404", "https://openreview.net/forum?id=bERaNdoegnO"),
    ),
)
