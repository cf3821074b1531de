"""Agents that learn by trying: the formulas, and trainings that are stopped and go on."""

from dataclasses import replace

import numpy as np
import pytest
from agent_helpers import assert_same_end, start, train
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.errors import InputError
from layerwise.registry import Registry
from layerwise.runs import RunStore
from layerwise.tasks import Control
from layerwise.versions import read_version
from layerwise.weights import read_arrays, read_record
from layerwise_rl import dqn
from layerwise_rl.memory import Memory
from layerwise_rl.networks import action_values, actor_critic
from layerwise_rl.ppo import Objective, advantages_of
from layerwise_rl.settings import PPOConfig

SMALL = {"num_epochs": 3, "steps_per_epoch": 256, "milestones": 3, "episodes_measured": 2, "hidden_layers": (8,)}
DQN = {**SMALL, "steps_before_learning": 100, "steps_between": 64, "batches": 4, "batch_size": 16}


@pytest.fixture
def snapshot(home):
    return Registry(home).snapshot()


@pytest.fixture
def runs(home):
    return RunStore(home)


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(0, 1000), st.floats(0, 1), st.floats(0, 1))
def test_advantages_are_the_sum_of_discounted_errors(steps, seed, discount, trace):
    random = np.random.default_rng(seed)
    rewards, expected = random.normal(size=(steps, 2)), random.normal(size=(steps + 1, 2))
    ended = random.random((steps, 2)) < 0.3
    found = advantages_of(rewards, expected, ended, discount, trace)
    for place in range(2):
        for step in range(steps):
            total, weight = 0.0, 1.0
            for later in range(step, steps):
                goes_on = not ended[later, place]
                following = expected[later + 1, place] if goes_on else 0.0
                total += weight * (rewards[later, place] + discount * following - expected[later, place])
                weight *= discount * trace
                if not goes_on:
                    break
            np.testing.assert_allclose(found[step, place], total, rtol=1e-4, atol=1e-4)


def test_the_loss_is_that_of_the_paper():
    random = np.random.default_rng(0)
    count = 6
    logits, value = random.normal(size=(count, 3)).astype("float32"), random.normal(size=(count, 1)).astype("float32")
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    action = np.array([0, 1, 2, 0, 1, 2])
    old = np.log(chances[np.arange(count), action]) + random.normal(0, 0.4, count)
    advantage, returns = random.normal(size=count), random.normal(size=count)
    targets = {
        "action": action,
        "old": old.astype("float32"),
        "advantage": advantage.astype("float32"),
        "return": returns.astype("float32"),
        "clip": np.full(count, 0.2, "float32"),
    }
    objective = Objective(PPOConfig(entropy_bonus=0.1, value_weight=0.5), is_continuous=False)
    outputs = {"policy": logits, "value": value}
    ratio = chances[np.arange(count), action] / np.exp(old)
    scaled = (advantage - advantage.mean()) / advantage.std()
    surrogate = np.minimum(ratio * scaled, np.clip(ratio, 0.8, 1.2) * scaled).mean()
    entropy = -(chances * np.log(chances)).sum(axis=1).mean()
    error = np.square(value[:, 0] - returns).mean()
    np.testing.assert_allclose(
        float(objective.loss(targets, outputs)), -surrogate + 0.5 * error - 0.1 * entropy, rtol=1e-4
    )
    np.testing.assert_allclose(float(objective.clipped_share(targets, outputs)), (abs(ratio - 1) > 0.2).mean())
    np.testing.assert_allclose(float(objective.entropy(targets, outputs)), entropy, rtol=1e-5)


def test_the_loss_of_deep_q_learning_is_hubers():
    outputs = {"action_values": np.array([[1.0, 5.0], [2.0, 0.0]], "float32")}
    targets = {"action": np.array([1, 0]), "return": np.array([2.0, 1.5], "float32")}
    np.testing.assert_allclose(float(dqn.loss(targets, outputs)), ((3.0 - 0.5) + 0.5 * 0.25) / 2)


def test_memories_are_forgotten_in_their_order():
    memory = Memory(3)
    for number in range(5):
        memory.add({"action": np.array([number])})
    assert sorted(memory.arrays["action"].tolist()) == [2, 3, 4]
    other = Memory(3)
    other.restore(memory.state())
    other.add({"action": np.array([9])})
    assert sorted(other.arrays["action"].tolist()) == [3, 4, 9]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "changes"), [("rl/cartpole", {**SMALL, "rollout_steps": 16}), ("rl/cartpole-dqn", DQN)]
)
def test_a_stop_and_a_resume_change_not_a_bit(runs, snapshot, name, changes):
    whole, parts = (start(runs, snapshot, name, **changes) for _ in range(2))
    train(whole, snapshot)
    for looks in (3, 4, None):
        train(parts, snapshot, looks)
    assert_same_end(parts, whole)
    assert [event["epoch"] for event in parts.history()] == [1, 2, 3]


@pytest.mark.slow
def test_what_an_agent_was_on_its_way_is_kept(runs, snapshot):
    run = start(runs, snapshot, "rl/cartpole", **SMALL, rollout_steps=16)
    train(run, snapshot)
    version = read_version(snapshot.model("rl/cartpole"), "ppo", run.id, run.version_folder)
    assert [milestone.epoch for milestone in version.milestones] == [0, 1, 2, 3]
    assert all(milestone.metrics["measured_return"] >= 8 for milestone in version.milestones)


@pytest.mark.slow
def test_a_training_goes_on_from_a_version(runs, snapshot):
    first = start(runs, snapshot, "rl/cartpole", **SMALL, rollout_steps=16)
    train(first, snapshot)
    spec = snapshot.model("rl/cartpole")
    second = runs.create(spec, None, replace(spec.variant().config, **SMALL, rollout_steps=16), start_from=first.id)
    train(second, snapshot)
    begun, ended = second.folder / "version" / "milestones" / "00000", first.folder / "version" / "milestones"
    best = max(ended.iterdir(), key=lambda folder: (read_record(folder)["metrics"]["measured_return"], folder.name))
    ours, theirs = read_arrays(begun), read_arrays(best)
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.slow
def test_another_environment_with_numbers_as_actions_is_learned_in(runs, snapshot):
    run = start(runs, snapshot, "rl/cartpole", **SMALL, environment="Pendulum-v1", num_environments=1)
    train(run, snapshot)
    version = read_version(snapshot.model("rl/cartpole"), "ppo", run.id, run.version_folder)
    assert version.task.environment == "Pendulum-v1"
    assert set(run.history()[-1]) >= {"loss", "mean_return", "entropy", "steps_per_second"}


def test_deep_q_learning_refuses_actions_that_are_numbers():
    with pytest.raises(InputError, match="which are numbers"):
        action_values(Control(environment="Pendulum-v1"), (8,))


def test_the_networks_give_what_their_task_says():
    outputs = actor_critic(Control(environment="Pendulum-v1"), (8,))(np.zeros([2, 3], "float32"))
    assert {name: tuple(part.shape) for name, part in outputs.items()} == {
        "policy": (2, 1),
        "spread": (2, 1),
        "value": (2, 1),
    }
    outputs = actor_critic(Control(environment="FrozenLake-v1"), (8,))(np.zeros([2, 16], "float32"))
    assert outputs["policy"].shape == (2, 4)
