"""`rl/go`: an agent that has learned Go by playing against itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise import ModelCard, ModelSpec, Variant
from layerwise_rl.go.task import Go, GoConfig

if TYPE_CHECKING:
    import keras

HERE = Path(__file__).parent


def build(config: GoConfig, task: Go) -> keras.Model:
    """The network that looks at a board."""
    from layerwise_rl.go.network import residual_network

    return residual_network(task.size, config.filters, config.blocks)


def _variant(size: int, komi: float, weights: str | None = None, **settings: Any) -> Variant:
    config = GoConfig(size=size, komi=komi, schedule="cosine", **settings)
    return Variant(
        name=f"{size}x{size}",
        summary=f"{size} by {size} points, komi {komi:g}",
        task={"size": size, "komi": komi},
        config=config,
        fine_tuning=config,
        weights=None if weights is None else HERE.parent / "weights" / weights,
    )


GO = ModelSpec(
    name="rl/go",
    task=Go(),
    build="layerwise_rl.go.model:build",
    config=GoConfig,
    train="layerwise_rl.go.alphazero:train",
    variants=(
        _variant(
            9,
            7.0,
            weights="go",
            filters=32,
            blocks=5,
            num_epochs=100,
            steps_per_epoch=25_600,
            num_environments=128,
        ),
        _variant(7, 9.0, filters=32, blocks=4, num_epochs=60, steps_per_epoch=25_600, num_environments=128),
        _variant(
            5,
            24.5,
            weights="go-5x5",
            filters=32,
            blocks=3,
            num_epochs=40,
            steps_per_epoch=12_800,
            num_environments=128,
            batch_size=128,
        ),
    ),
    card=ModelCard(
        title="Go",
        summary="Play Go against an agent that has mostly learned it by playing against itself.",
        invitation="Play Go against an agent, and see what it thinks",
        description=(
            "Its network looks at a board and says which moves are worth a look, who wins, and whose each point will "
            "be. A tree search asks it about hundreds of positions before each move (AlphaZero, Silver et al. 2018). "
            "It has learned by playing against itself: what the search found is what the network learns to see at "
            "once, and the next games are played with the better network.\n\n"
            "The agent for 9 by 9 points that is shipped began with 1,022 games that GNU Go 3.8 had played against "
            "itself at its level 1 (`layerwise train rl/go:9x9 --data games --num-epochs 4 --batch-size 256 "
            "--learning-rate 0.003`, ten minutes), and went on by itself for 307,200 moves (`--from RUN --num-epochs "
            "24 --learning-rate 0.001 --milestones 4`, epoch 12, 45 minutes on two cores that had other work too). "
            "With 2,400 positions a move it won 78 of 100 games against GNU Go at level 1 and drew 9 (82.5 %, 95 % "
            "interval 73 to 88 %), and 63 of 100 at level 10, the usual one, and drew 8 (67 %, 57 to 75 %); with 800 "
            "it won 28 of 40 at level 1 (`layerwise match`).\n\n"
            "The one for 5 by 5 points has learned by itself alone, in 512,000 moves (`layerwise train rl/go:5x5`, 44 "
            "minutes of one core). That board is solved: whoever begins in its centre gets all 25 points (van der "
            "Werf et al. 2003), and with a komi of 24.5 must. As Black from the centre it lost none of 51 games "
            "against GNU Go at level 10, White's first move drawn (800 positions a move).\n\n"
            "Area is counted: each side has its stones and what they alone surround, so play on until what is to be "
            "taken is taken. No position may come back (superko), and suicide is not allowed."
        ),
        limits="It plays on this board alone, and without a clock.",
        sources=("https://doi.org/10.1126/science.aar6404", "https://arxiv.org/abs/1902.10565"),
        picture=HERE.parent / "pictures" / "go.webp",
    ),
)
