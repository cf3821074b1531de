"""An agent that acts in an environment: what it observes goes in, what it does comes out, for a whole episode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from layerwise.errors import InputError, SpecError
from layerwise.tasks.base import Answer, Task
from layerwise.tasks.fields import Field

if TYPE_CHECKING:
    import gymnasium
    import numpy as np

    from layerwise.plots import Plot
    from layerwise.runner import Runner
    from layerwise.specs import ModelSpec
    from layerwise.splits import Split
    from layerwise.versions import Version

MOST_EPISODES = 1_000_000
WAYS = ("the best action", "drawn by probability")


@dataclass(frozen=True, kw_only=True)
class Control(Task):
    """What an agent does in an environment of gymnasium.

    The network takes observations [examples, ...] as the environment gives them, spaces of another kind than numbers as
    one vector, and gives what `layerwise.tasks.episodes.acting` says.

    Args:
        environment: The id of the environment, such as "CartPole-v1".
        options: What its maker takes beside.
        actions: What the actions are called, in their order; empty takes their numbers.
        keys: For a person who plays: the key of each action, as browsers call them ("ArrowLeft"); empty for actions
            without one.
        resting: The action of a person who presses no key; None goes on with the last one.
        measured: Episodes that `evaluate` plays.
        by_chance: Whether the agent draws its actions by their probabilities unless told otherwise. Best actions may
            go in circles.
        known: Returns to compare with, by name: {"a person": 9.3}.

    Raises:
        SpecError: A value is not usable.
    """

    type_name: ClassVar[str] = "control"
    metric: ClassVar[str] = "mean_return"
    network_takes: ClassVar[str] = "What is observed [example, ...], as the environment gives it."
    network_gives: ClassVar[str] = (
        'A mapping: "policy", logits of the actions [example, action], and "value", the return that is expected '
        '[example, 1]; or "action_values", the return that is expected of each action [example, action].'
    )
    environment: str
    options: Mapping[str, Any] = field(default_factory=dict)
    actions: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    resting: int | None = None
    measured: int = 100
    by_chance: bool = False
    known: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (isinstance(self.environment, str) and self.environment.strip()):
            raise SpecError("Control has no environment", expected="an id", received=repr(self.environment))
        for name in ("actions", "keys"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not 1 <= self.measured <= 10_000:
            raise SpecError("Control: measured is out of range", expected="1 to 10,000", received=repr(self.measured))

    def make(self, *, renders: bool = False) -> gymnasium.Env:
        """The environment, whose observations are one array.

        Raises:
            LayerwiseError: It cannot be made, or has actions of a kind that no agent here can choose.
        """
        import gymnasium
        from gymnasium import spaces

        from layerwise.tasks.episodes.environments import make

        made = make(self.environment, self.options, renders=renders)
        if not isinstance(made.observation_space, spaces.Box):
            made = gymnasium.wrappers.FlattenObservation(made)
        actions = made.action_space
        if not isinstance(actions, spaces.Discrete) and not (
            isinstance(actions, spaces.Box) and len(actions.shape) == 1
        ):
            made.close()
            raise InputError(
                f"{self.environment} has actions that no agent here can choose",
                expected="one of several actions, or a vector of numbers",
                received=str(actions),
            )
        return made

    def to_learn_in(self) -> gymnasium.Env:
        """The environment as it is learned in, which may end episodes earlier and clip rewards."""
        return self.make()

    def action_name(self, number: int) -> str:
        """What an action is called."""
        return self.actions[number] if number < len(self.actions) else str(number)

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (
            Field(
                name="training",
                kind="number",
                label="How much of its training it has had, in percent",
                minimum=0,
                maximum=100,
                default=100,
            ),
            Field(name="episode", kind="number", label="Which episode", minimum=0, maximum=9999, default=0),
            Field(
                name="choosing",
                kind="choice",
                label="What it does",
                choices=WAYS,
                default=WAYS[int(self.by_chance)],
                advanced=True,
            ),
        )

    @property
    def outputs(self) -> tuple[Field, ...]:
        return (
            Field(name="said", kind="text", label="How it went"),
            Field(name="picture", kind="image", label="The episode"),
            Field(name="course", kind="plot", label="What it expected, and what it did"),
        )

    def encode(self, inputs: Mapping[str, Any]) -> np.ndarray:
        """What is observed at the beginning of an episode, [1, ...]."""
        import numpy as np

        made = self.make()
        try:
            observation, _ = made.reset(seed=int(inputs.get("episode") or 0))
        finally:
            made.close()
        return np.asarray(observation)[None]

    def decode(self, outputs: Any) -> list[Answer]:
        """What is done in each moment."""
        from layerwise.tasks.episodes.acting import best_actions, is_continuous

        actions = best_actions(outputs)
        if is_continuous(outputs):
            return [{"said": ", ".join(f"{number:.3g}" for number in action)} for action in actions]
        return [{"said": self.action_name(int(action))} for action in actions]

    def warm_input(self) -> np.ndarray:
        return self.encode({})

    def runner(self, version: Version, spec: ModelSpec) -> Runner:
        from layerwise.tasks.episodes.runner import EpisodeRunner

        return EpisodeRunner(version, spec)

    def own_splits(self) -> Mapping[str, Split]:
        """The episodes that `evaluate` plays, by their seeds: as many as `measured`."""
        import numpy as np

        from layerwise.splits import Split

        return {"test": Split({"episode": np.arange(self.measured)}, np.zeros(self.measured, "float32"))}

    def evaluate(self, outputs: Any, targets: np.ndarray) -> dict[str, float]:
        """The mean return and the mean length of the episodes.

        Args:
            outputs: "return" and "length", [episodes].
        """
        return {"mean_return": float(outputs["return"].mean()), "mean_length": float(outputs["length"].mean())}

    def report(self, outputs: Any, targets: np.ndarray, inputs: Any) -> Sequence[Plot]:
        """How the returns of the episodes are spread."""
        from layerwise.plots import Histogram

        return [Histogram.of(outputs["return"], title="Returns of the episodes", x_label="return")]
