"""Deep reinforcement learning in a world of 25 fields: a small deep Q-network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from layerwise.from_scratch.backprop import DenseNetwork
from layerwise.from_scratch.descent import Adam
from layerwise.plots import Heatmap, Line, LinePlot, Plot, Row, Table, Text
from layerwise_learn.experiments.networks import random_network
from layerwise_learn.experiments.training import shown_epochs
from layerwise_learn.lessons.applications import AgentSettings

SIDE = 5
START, GOAL, PIT = (0, 0), (4, 4), (3, 3)
"""Fields as column and row, counted from the lower left."""
ACTIONS = {"right": (1, 0), "up": (0, 1), "left": (-1, 0), "down": (0, -1)}
STEP_COST, MAX_STEPS = 0.02, 40
HIDDEN, BATCH_SIZE, STEPS_PER_COPY = 32, 32, 50
"""Of the network: hidden units, transitions of a training step, and after how many of these the copy that gives the
targets is renewed, as targets that move with each step are hard to follow."""
STATES = np.eye(SIDE * SIDE)


@dataclass(frozen=True, kw_only=True)
class Transition:
    """What the agent saw in one step: the fields and the action by number, the reward, whether the attempt ended."""

    state: int
    action: int
    reward: float
    following: int
    ended: bool


def move(state: int, action: int) -> Transition:
    """The world: what follows from an action. Whoever walks against the border stays."""
    right, up = list(ACTIONS.values())[action]
    x, y = state % SIDE, state // SIDE
    field = (min(max(x + right, 0), SIDE - 1), min(max(y + up, 0), SIDE - 1))
    reward = {GOAL: 1.0, PIT: -1.0}.get(field, 0.0) - STEP_COST
    following = field[0] + SIDE * field[1]
    return Transition(state=state, action=action, reward=reward, following=following, ended=field in (GOAL, PIT))


class Agent:
    """A deep Q-network with its memory of what it has seen."""

    def __init__(self, settings: AgentSettings) -> None:
        self.settings = settings
        self.random = np.random.default_rng(settings.seed)
        self.network = random_network([SIDE * SIDE, HIDDEN, len(ACTIONS)], "relu", seed=settings.seed)
        self.copy = self.network
        self.seen: list[Transition] = []
        self.optimizer = Adam()
        self.memory = self.optimizer.start(self.network.parameters)

    def attempt(self) -> float:
        """One episode, learning at each step. Returns the sum of its rewards."""
        state, total = 0, 0.0
        for _ in range(MAX_STEPS):
            transition = move(state, self.choose(state))
            self.seen.append(transition)
            self.learn()
            total += transition.reward
            state = transition.following
            if transition.ended:
                break
        return total

    def choose(self, state: int) -> int:
        """The policy: the action of the largest value, or a random one."""
        if self.random.random() < self.settings.exploration:
            return int(self.random.integers(len(ACTIONS)))
        return int(np.argmax(values(self.network)[state]))

    def learn(self) -> None:
        """A step of training on transitions drawn from all that were seen."""
        batch = [self.seen[index] for index in self.random.integers(len(self.seen), size=BATCH_SIZE)]
        rows = np.arange(BATCH_SIZE)
        states, actions, following = (
            np.array([getattr(item, name) for item in batch]) for name in ("state", "action", "following")
        )
        rewards = np.array([item.reward for item in batch])
        goes_on = np.array([not item.ended for item in batch])
        forward = self.network.forward(STATES[states])
        # The output of every other action is its own target: no gradient comes from it.
        targets = forward["output"].copy()
        targets[rows, actions] = rewards + self.settings.discount * goes_on * values(self.copy)[following].max(axis=1)
        gradient = self.network.backward(forward, self.network.loss(forward, targets, "squared_error")).gradient
        parameters, self.memory = self.optimizer.step(
            self.network.parameters, gradient, self.memory, self.settings.learning_rate
        )
        self.network = self.network.with_parameters(parameters)
        if self.memory.num_steps % STEPS_PER_COPY == 0:
            self.copy = self.network


def values(network: DenseNetwork) -> np.ndarray:
    """Q of every field and action, [fields, actions]."""
    return network.forward(STATES)["output"]


def way(network: DenseNetwork) -> list[Transition]:
    """Where the policy leads from the start, without exploration."""
    best = values(network).argmax(axis=1)
    state, steps = 0, []
    for _ in range(MAX_STEPS):
        steps.append(move(state, int(best[state])))
        state = steps[-1].following
        if steps[-1].ended:
            break
    return steps


def agent(settings: AgentSettings) -> Iterator[list[Plot]]:
    learner = Agent(settings)
    totals: list[float] = []
    shown = shown_epochs(settings.num_episodes)
    for episode in range(1, settings.num_episodes + 1):
        totals.append(learner.attempt())
        if episode in shown:
            yield _plots(learner, totals)


def _plots(learner: Agent, totals: Sequence[float]) -> list[Plot]:
    steps = way(learner.network)
    x, y = (np.array([0, *(change(step.following) for step in steps)]) + 0.5 for change in (_column, _row))
    best = values(learner.network).max(axis=1).reshape(SIDE, SIDE)
    # Nothing is chosen where an attempt ends, so no value is learned there: these fields show their reward.
    best[GOAL[::-1]], best[PIT[::-1]] = 1.0, -1.0
    world = Heatmap(
        title="Value of the best action on each field, and the way of the policy",
        values=best,
        x_range=(0, SIDE),
        y_range=(0, SIDE),
        x_label="column",
        y_label="row",
        center=0.0,
        limits=(-1, 1),
        lines=[
            Line(label="way", x=x, y=y),
            Line(label="start", x=[0.5], y=[0.5], kind="dots"),
            Line(label="goal", x=[GOAL[0] + 0.5], y=[GOAL[1] + 0.5], kind="dots"),
            Line(label="pit", x=[PIT[0] + 0.5], y=[PIT[1] + 0.5], kind="dots"),
        ],
    )
    episodes = np.arange(1, len(totals) + 1)
    means = [np.mean(totals[max(0, end - 10) : end]) for end in range(1, len(totals) + 1)]
    returns = LinePlot(
        title="Sum of the rewards of each attempt",
        lines=[
            Line(label="attempt", x=episodes, y=totals, kind="dots"),
            Line(label="mean of the last ten", x=episodes, y=means),
        ],
        x_label="episode",
        y_label="rewards",
    )
    reached = {GOAL: "reaches the goal", PIT: "falls into the pit"}
    last = steps[-1].following
    told = reached.get((_column(last), _row(last)), "does not arrive anywhere")
    start = dict(zip(ACTIONS, values(learner.network)[0], strict=True))
    return [
        Text(
            text=f"After {len(totals)} attempts and {learner.memory.num_steps:,} steps the policy {told}"
            f"{f' in {len(steps)} steps' if steps[-1].ended else ''}."
        ),
        Row(plots=[world, returns]),
        Table(title="Values Q at the start", columns=list(start), rows=[[float(value) for value in start.values()]]),
    ]


def _column(field: int) -> int:
    return field % SIDE


def _row(field: int) -> int:
    return field // SIDE
