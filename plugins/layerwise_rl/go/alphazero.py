"""Learning Go by playing against oneself (AlphaZero: Silver et al. 2018, Science 362; with what was found to
be faster: moves drawn with Gumbel noise, Danihelka et al. 2022, and whose each point will be as a further target, Wu
2019, arXiv:1902.10565).

A tree search plays better than the network that it asks. So the network learns to think at once what the search found
after a while, and who won in the end; and the next games are played with the better network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.optimizers import build_optimizer
from layerwise.tasks.episodes.policies import policy_of
from layerwise_rl.go.elo import elo_of
from layerwise_rl.go.losses import METRICS, loss
from layerwise_rl.go.network import Evaluator
from layerwise_rl.go.records import batch_of
from layerwise_rl.go.self_play import SelfPlay
from layerwise_rl.go.tournament import match
from layerwise_rl.memory import Memory
from layerwise_rl.training import LearningByPlaying, copy_weights, joined, part_of, run

if TYPE_CHECKING:
    from layerwise.context import Context

KOMI_SPREAD = 2.0
"""Points by which the komi differs that a position is learned with."""


def train(context: Context) -> None:
    """Learn Go: `ModelSpec.train`. With games of others as data, to play as they did; without, by self-play, from the
    beginning or from a version that has learned from games."""
    from layerwise.training import Supervised
    from layerwise_rl.go.task import task_of

    if context.run.data is None:
        run(context, AlphaZero)
    else:
        context.task = task_of(context)
        Supervised(context).fit()


class AlphaZero(LearningByPlaying):
    """A training. A step is a move in one of the games."""

    def __init__(self, context: Context) -> None:
        from layerwise import engines
        from layerwise.compilation import uses_xla
        from layerwise.specs import resolve
        from layerwise_rl.go.task import task_of

        config, build = context.config, resolve(context.spec.build)
        self.task = task_of(context)
        super().__init__(context, build(config, self.task))
        size, komi = self.task.size, self.task.komi
        self.evaluate = Evaluator(policy_of(self.model), size, komi, self.random)
        # What it was at the last milestone, to be measured against.
        self.former = build(config, self.task)
        self.former_evaluate = Evaluator(policy_of(self.former), size, komi, self.random)
        self.elo = 0.0
        self._copy_former()
        self.play = SelfPlay(size, komi, config.num_environments, config.simulations, config.considered, self.random)
        self.memory = Memory(config.remembered)
        rounds = max(1, config.steps_per_epoch // (config.num_environments * config.moves_between))
        self.optimizer = build_optimizer(config, rounds * config.batches, global_clipnorm=config.gradient_norm)
        self.trainer = engines.current().Trainer(
            self.model, self.optimizer, loss, METRICS, xla=uses_xla(self.model, config.compiler)
        )

    def round(self) -> tuple[int, Mapping[str, float]]:
        config = self.config
        for _ in range(config.moves_between):
            over = self.play.move(self.evaluate)
            for record in over:
                if len(record.examples["player"]):
                    self.memory.add(record.examples)
            self.course.count_games((record.lead > self.task.komi, len(record.moves)) for record in over)
        means = self._learn() if len(self.memory) >= config.batch_size else {}
        return config.moves_between * len(self.play.games), means

    def _learn(self) -> Mapping[str, float]:
        config = self.config
        places = self.random.integers(0, len(self.memory), config.batches * config.batch_size)
        boards, targets = batch_of(self.memory.arrays, places, self.random, komi=self.task.komi, spread=KOMI_SPREAD)
        order = np.arange(len(places), dtype="int32").reshape(config.batches, config.batch_size)
        return self.trainer.train(self.trainer.place(boards, targets), order, 0, len(order))

    def measure(self) -> dict[str, float]:
        """Its Elo: 0 before the training; at each milestone, more by what a match against the former one says."""
        if self.course.steps:
            share = match(
                self.task.size,
                self.task.komi,
                self.evaluate,
                self.former_evaluate,
                self.config.episodes_measured,
                self.config.simulations,
                self.random,
            )
            self.elo += elo_of(share, self.config.episodes_measured)
            self._copy_former()
        return {"elo": self.elo}

    def _copy_former(self) -> None:
        copy_weights(self.model, self.former)

    def networks(self) -> dict[str, Any]:
        from layerwise import weights

        former = {f"former/{name}": variable for name, variable in weights.by_name(self.former.variables).items()}
        return super().networks() | former

    def close(self) -> None:
        """Games need nothing that would have to be given back."""

    def kept(self) -> dict[str, np.ndarray]:
        return joined({"memory": self.memory.state(), "play": self.play.state()}) | {"elo": np.array(self.elo)}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        self.memory.restore(part_of(arrays, "memory"))
        self.play.restore(part_of(arrays, "play"))
        self.elo = float(arrays["elo"])
