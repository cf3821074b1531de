"""Environments side by side, their states, and episodes in them."""

from contextlib import closing

import gymnasium
import numpy as np
import pytest
from scipy.stats import norm

from layerwise.errors import InputError, LayerwiseError, SpecError
from layerwise.tasks import Control
from layerwise.tasks.episodes.acting import (
    best_actions,
    done,
    log_probabilities,
    probabilities,
    sampled_actions,
    values,
)
from layerwise.tasks.episodes.environments import Environments, make
from layerwise.tasks.episodes.playing import Playing, play_many
from layerwise.tasks.episodes.processes import EnvironmentProcesses, side_by_side
from layerwise.tasks.episodes.states import can_be_restored, get_state, set_state


class Hidden(gymnasium.Env):
    """Its state is where nobody looks."""

    observation_space = gymnasium.spaces.Box(-1000, 1000, (1,))
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = [0]
        return np.zeros(1, "float32"), {}

    def step(self, action):
        self.steps[0] += 1
        return np.array(self.steps, "float32"), 1.0, False, False, {}


class Giving(Hidden):
    """It gives its state itself."""

    def get_state(self):
        return {"steps": np.array(self.steps)}

    def set_state(self, arrays):
        self.steps = arrays["steps"].tolist()


@pytest.mark.parametrize("name", ["CartPole-v1", "Acrobot-v1", "MountainCar-v0", "Pendulum-v1", "FrozenLake-v1"])
def test_an_environment_goes_on_from_its_state(name):
    environment = Control(environment=name).make()
    assert can_be_restored(environment)
    environment.reset(seed=3)
    environment.action_space.seed(3)
    actions = [environment.action_space.sample() for _ in range(20)]
    state = get_state(environment)

    def played(which):
        return [np.append(which.step(action)[0], which.step(action)[1]).tolist() for action in actions]

    first = played(environment)
    other = Control(environment=name).make()
    other.reset(seed=99)
    set_state(other, state)
    assert played(other) == first


def test_an_environment_that_hides_its_state_is_found_out():
    assert not can_be_restored(Hidden())
    assert can_be_restored(Giving())


@pytest.mark.parametrize(
    ("name", "said"), [("NoSuch-v1", "NoSuch-v1"), ("no_such_module:Name-v0", "no_such_module"), ("", "no environment")]
)
def test_an_environment_that_does_not_exist_is_explained(name, said):
    with pytest.raises((InputError, SpecError), match=said):
        Control(environment=name).make()


def test_an_environment_that_takes_no_such_option_is_explained():
    with pytest.raises(InputError, match="size"):
        make("CartPole-v1", {"size": 3})


def test_actions_that_no_agent_can_choose_are_refused():
    gymnasium.register("Pairs-v0", lambda **_: Pairs())
    try:
        with pytest.raises(LayerwiseError, match="no agent here can choose"):
            Control(environment="Pairs-v0").make()
    finally:
        del gymnasium.registry["Pairs-v0"]


class Pairs(Hidden):
    action_space = gymnasium.spaces.MultiDiscrete([2, 2])


def test_environments_begin_anew_and_say_what_was_last_seen():
    environments = Environments([Control(environment="CartPole-v1").make] * 3, seed=5)
    alone = gymnasium.make("CartPole-v1")
    observed, _ = alone.reset(seed=6)
    np.testing.assert_array_equal(environments.observations[1], observed)
    total = ended = 0
    while not ended:
        result = environments.step([0, 0, 0])
        observed, reward, ended, *_ = alone.step(0)
        total += reward
    assert result.terminated[1]
    np.testing.assert_array_equal(result.last[1], observed)
    assert abs(environments.observations[1]).max() <= 0.05
    assert total in [episode.total for episode in environments.ended]


def test_environments_that_are_cut_off_have_not_terminated():
    environments = Environments([lambda: gymnasium.make("CartPole-v1", max_episode_steps=3)], seed=0)
    for _ in range(3):
        result = environments.step([1])
    assert result.truncated[0]
    assert not result.terminated[0]


def test_environments_go_on_from_their_state():
    def steps(environments):
        found = []
        for number in range(60):
            environments.step([number % 2] * 2)
            found.append((environments.observations.tolist(), [episode.total for episode in environments.ended]))
        return found

    make_one = Control(environment="CartPole-v1").make
    environments = Environments([make_one] * 2, seed=0)
    steps(environments)
    state = {name: np.array(array) for name, array in environments.state().items()}
    first = steps(environments)
    other = Environments([make_one] * 2, seed=77)
    other.restore(state)
    assert steps(other) == first


def test_environments_that_cannot_tell_their_state_say_so():
    assert Environments([Hidden], seed=0).state() == {}


CARTPOLE = Control(environment="CartPole-v1")


TRIED = 5


class Failing(Hidden):
    """It fails after it was tried whether it can be restored."""

    total = -35

    def step(self, action):
        self.total += 1
        if self.total > TRIED:
            raise RuntimeError("the motor is hot")
        return super().step(action)


def test_environments_in_processes_are_the_same_as_in_one():
    def steps(environments, number):
        found = []
        for place in range(number):
            result = environments.step(np.array([place % 2, 0, 1]))
            found.append(
                (
                    environments.observations.tolist(),
                    [(episode.total, episode.length) for episode in environments.ended],
                    *(part.tolist() for part in (result.rewards, result.terminated, result.truncated)),
                    {place: array.tolist() for place, array in result.last.items()},
                )
            )
        return found

    with closing(EnvironmentProcesses([CARTPOLE.make] * 3, 4, processes=2)) as many:
        one = Environments([CARTPOLE.make] * 3, 4)
        assert len(many) == 3
        assert many.action_space == one.action_space
        assert many.observations.tolist() == one.observations.tolist()
        assert steps(many, 40) == steps(one, 40)
        assert many.state().keys() == one.state().keys()
        # A state goes from one into several and back.
        many.restore(one.state())
        one.restore(many.state())
        assert steps(many, 40) == steps(one, 40)


def test_as_many_processes_as_there_are_cores_are_enough(monkeypatch):
    monkeypatch.setattr("layerwise.tasks.episodes.processes.cores", lambda: 1)
    assert isinstance(side_by_side([CARTPOLE.make] * 2, 0, processes=9), Environments)


@pytest.mark.slow
def test_what_fails_in_another_process_is_said():
    with closing(EnvironmentProcesses([Failing] * 2, 0, processes=2)) as many:
        for _ in range(TRIED):
            many.step([0, 0])
        with pytest.raises(LayerwiseError, match="the motor is hot"):
            many.step([0, 0])
        with pytest.raises(LayerwiseError, match="has ended"):
            many.step([0, 0])


def test_environments_that_other_processes_cannot_import_are_refused():
    with pytest.raises(LayerwiseError, match="set processes to 1"):
        EnvironmentProcesses([lambda: Hidden(), Hidden], 0, processes=2)


def test_samples_follow_the_probabilities():
    outputs = {"policy": np.log(np.array([[0.7, 0.2, 0.1]] * 20_000)), "value": np.zeros([20_000, 1])}
    random = np.random.default_rng(0)
    counts = np.bincount(sampled_actions(outputs, random)) / 20_000
    np.testing.assert_allclose(counts, [0.7, 0.2, 0.1], atol=0.015)
    np.testing.assert_allclose(probabilities(outputs)[0], [0.7, 0.2, 0.1])
    actions = np.array([0, 1, 2])
    some = {"policy": outputs["policy"][:3]}
    np.testing.assert_allclose(log_probabilities(some, actions), np.log([0.7, 0.2, 0.1]), rtol=1e-6)


def test_densities_of_numbers_are_those_of_the_normal_distribution():
    random = np.random.default_rng(0)
    outputs = {"policy": random.normal(size=(4, 2)), "spread": random.normal(size=(4, 2))}
    actions = random.normal(size=(4, 2))
    expected = norm.logpdf(actions, outputs["policy"], np.exp(outputs["spread"])).sum(axis=1)
    np.testing.assert_allclose(log_probabilities(outputs, actions), expected, rtol=1e-5)


def test_values_of_actions_choose_the_best():
    outputs = {"action_values": np.array([[1.0, 3.0], [2.0, -1.0]])}
    assert best_actions(outputs).tolist() == [1, 0]
    assert values(outputs).tolist() == [3.0, 2.0]
    assert probabilities(outputs).tolist() == [[0, 1], [1, 0]]


def test_actions_stay_within_the_limits_of_the_environment():
    space = gymnasium.spaces.Box(-1, 1, (1,))
    assert done(np.array([[5.0]]), space).tolist() == [[1.0]]
    assert done(np.array([1]), gymnasium.spaces.Discrete(3, start=4)).tolist() == [5]


def to_the_right(observations):
    """Pushes to where the pole falls."""
    tilt = observations[:, 2] + observations[:, 3]
    return {"action_values": np.stack([-tilt, tilt], axis=1)}


def test_an_episode_is_played_to_its_end():
    task = Control(environment="CartPole-v1")
    playing = Playing(task, to_the_right, episode=4, renders=True)
    assert playing.picture().shape == (400, 600, 3)
    moments = [playing.step()]
    while not playing.ended:
        moments.append(playing.step())
    playing.close()
    assert moments[-1].total == len(moments) == moments[-1].length
    assert play_many(task, to_the_right, np.array([3, 4]))[1] == (moments[-1].total, moments[-1].length)


def test_a_person_may_act_in_an_episode():
    playing = Playing(Control(environment="CartPole-v1"), to_the_right, episode=0)
    for _ in range(8):
        moment = playing.step(0)
    assert moment.is_own
    assert moment.action == 0
    assert moment.observation[1] < -1  # always to the left
