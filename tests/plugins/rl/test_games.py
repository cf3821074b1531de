"""Atari from raw pixels: what is seen, states, lives and rewards."""

import keras
import numpy as np
import pytest

from layerwise.config import config_from
from layerwise.errors import InputError
from layerwise.tasks.episodes.environments import Environments
from layerwise.tasks.episodes.states import can_be_restored
from layerwise.versions import MILESTONES
from layerwise.weights import read_record
from layerwise_rl.atari import AtariEnvironment, shrunk
from layerwise_rl.games import AtariControl, models
from layerwise_rl.networks import seeing_actor_critic
from layerwise_rl.settings import PixelsConfig

PONG = AtariControl(environment="ALE/Pong-v5")
BREAKOUT = AtariControl(environment="ALE/Breakout-v5")


def test_what_is_seen_is_the_mean_of_small_squares():
    screen = np.random.default_rng(0).integers(0, 256, (210, 160), dtype="uint8")
    expected = screen[34:194].reshape(40, 4, 40, 4).mean(axis=(1, 3))
    assert shrunk(screen).shape == (40, 40)
    assert np.abs(shrunk(screen) - expected).max() < 1


def test_the_game_is_named_as_its_rom():
    assert PONG.game == "pong"
    assert AtariControl(environment="ALE/SpaceInvaders-v5").game == "space_invaders"
    with pytest.raises(InputError, match="no game 'no_such'"):
        AtariControl(environment="ALE/NoSuch-v5").make()


def test_a_game_goes_on_from_its_state():
    assert can_be_restored(PONG.make())
    assert can_be_restored(BREAKOUT.to_learn_in())


@pytest.mark.slow
def test_the_action_that_goes_on_by_chance_belongs_to_the_state():
    up, down, games = 2, 3, 12
    goes_on = Environments([PONG.make] * games, seed=0)
    for _ in range(20):
        goes_on.step([0] * games)
    for _ in range(3):
        goes_on.step([up] * games)
    again = Environments([PONG.make] * games, seed=99)
    again.restore(goes_on.state())
    for _ in range(5):
        goes_on.step([down] * games)
        again.step([down] * games)
        np.testing.assert_array_equal(goes_on.observations, again.observations)


def test_the_same_seed_is_the_same_game_and_another_one_is_not():
    def played(seed):
        environment = PONG.make()
        environment.reset(seed=seed)
        return np.stack([environment.step(2 + number // 7 % 2)[0] for number in range(120)])

    np.testing.assert_array_equal(played(3), played(3))
    assert (played(3) != played(4)).any()


def test_the_pictures_come_one_after_another():
    environment = PONG.make()
    before, _ = environment.reset(seed=0)
    for _ in range(3):
        after, *_ = environment.step(0)
        np.testing.assert_array_equal(after[:, :, :3], before[:, :, 1:])
        before = after


def test_a_lost_life_ends_an_episode_for_learning_and_not_the_game():
    environments = Environments([BREAKOUT.to_learn_in], seed=0)
    ends, lengths = 0, []
    while not lengths:
        result = environments.step([1])  # it serves and does not move
        ends += bool(result.ended[0])
        lengths += [episode.length for episode in environments.ended]
    assert ends == 5
    game = BREAKOUT.make()
    game.reset(seed=0)
    length, ended = 0, False
    while not ended:
        *_, ended, _, _ = game.step(1)
        length += 1
    assert lengths == [length]


@pytest.mark.slow
def test_rewards_are_clipped_for_learning_and_what_was_won_is_kept():
    environment = AtariEnvironment("breakout", learns=True)
    environment.reset(seed=1)
    random, rewards = np.random.default_rng(0), []
    for _ in range(3000):
        _, reward, ended, _, _ = environment.step(random.integers(4))
        rewards.append((reward, environment.last_reward))
        if ended:
            environment.reset()
    assert {reward for reward, _ in rewards} <= {-1.0, 0.0, 1.0}
    assert sum(won for _, won in rewards) > 0


def test_there_are_two_pictures_of_each_action_to_look_at():
    environment = PONG.make(renders=True)
    environment.reset(seed=0)
    environment.step(0)
    assert [frame.shape for frame in environment.frames] == [(210, 160, 3)] * 2
    assert environment.metadata["render_fps"] * len(environment.frames) >= 20


def test_the_network_takes_bytes():
    model = seeing_actor_critic(PONG, (4, 4), 8)
    outputs = model(np.full([2, 40, 40, 4], 255, "uint8"))
    assert outputs["policy"].shape == (2, 6)
    assert np.isfinite(np.asarray(outputs["value"])).all()


def test_the_network_sees_the_picture_up_to_its_borders():
    """The paddle of Breakout is in the last rows: a network that leaves them out plays blindly."""
    keras.utils.set_random_seed(0)
    model = seeing_actor_critic(PONG, (8, 8), 16)
    black = np.zeros([1, 40, 40, 4], "uint8")
    for place in (np.s_[:, 0], np.s_[:, 39], np.s_[:, :, 0], np.s_[:, :, 39]):
        bright = black.copy()
        bright[place] = 255
        assert not np.allclose(model(bright)["value"], model(black)["value"])


def test_the_shipped_agent_of_pong_is_better_than_a_person():
    """A person has 9.3 points more than the other side (Mnih et al. 2015); the bar is 14."""
    (pong,) = (spec for spec in models() if spec.name == "rl/pong")
    record = read_record(pong.variant().weights)
    assert record["command"] == "layerwise train rl/pong:small"
    assert config_from(PixelsConfig, record["config"]) == pong.variant().config
    assert record["measured"]["count"] >= 30
    assert record["measured"]["metrics"]["mean_return"] > 14
    assert read_record(pong.variant().weights / MILESTONES / "00000")["epoch"] == 0


def test_the_shipped_agent_of_breakout_is_better_than_a_person():
    """A person has 31.8 points (Mnih et al. 2015), which is the bar."""
    (breakout,) = (spec for spec in models() if spec.name == "rl/breakout")
    record = read_record(breakout.variant().weights)
    assert record["command"] == "layerwise train rl/breakout:small"
    assert config_from(PixelsConfig, record["config"]) == breakout.variant().config
    assert record["measured"]["count"] >= 30
    assert record["measured"]["interval"]["mean_return"][0] > 31.8
