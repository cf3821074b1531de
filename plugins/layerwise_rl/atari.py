"""Atari games from raw pixels: the environment.

As Machado et al. 2018 ("Revisiting the Arcade Learning Environment", arXiv:1709.06009) propose, the last action goes on
by chance ("sticky actions"), so that no sequence of actions can be learned by heart. As Mnih et al. 2015 do, an action
lasts four frames, of the last two the brighter pixels are seen, and four such pictures are seen at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from layerwise.errors import InputError

STICKY = 0.25
"""How probably a frame goes on with the former action."""
FRAMES_PER_ACTION, PICTURES = 4, 4
FRAMES_PER_SECOND = 60
SCREEN = (210, 160)
TOP, SIDE, FACTOR = 34, 160, 4
"""What is seen is a square of the screen below the score, a pixel for `FACTOR` by `FACTOR` of it."""
LONGEST = 27_000
"""Actions of an episode: half an hour of play, as in the papers."""


class AtariEnvironment(gymnasium.Env):
    """A game of the Arcade Learning Environment. Observations are uint8 [40, 40, 4], the newest picture last.

    Args:
        game: As its ROM is called: "pong".
        learns: Whether rewards are clipped to their signs, and an episode ends with each life. What was won is then
            in `last_reward`, and `goes_on` says that the game is not over.
        renders: Whether `render` and `frames` have pictures.

    Raises:
        InputError: There is no such game.
    """

    def __init__(self, game: str, *, learns: bool = False, renders: bool = False) -> None:
        from ale_py import ALEInterface, LoggerMode, roms

        if game not in roms.get_all_rom_ids():
            raise InputError(
                f"There is no game {game!r}", expected="one of those that come with ale-py, such as pong or breakout"
            )
        ALEInterface.setLoggerMode(LoggerMode.Error)
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": FRAMES_PER_SECOND / FRAMES_PER_ACTION}
        self.learns, self.renders = learns, renders
        self.last_reward, self.goes_on = 0.0, False
        self.frames: list[np.ndarray] = []
        self._ale = ALEInterface()
        # The emulator's own sticky actions would be another thing of which its state says nothing: which one goes on.
        self._ale.setFloat("repeat_action_probability", 0.0)
        self._path = str(roms.get_rom_path(game))
        self._lives = self._length = self._held = 0
        self._screens = np.zeros((2, *SCREEN), "uint8")
        self._seen = np.zeros((SIDE // FACTOR, SIDE // FACTOR, PICTURES), "uint8")
        self._ale.setInt("random_seed", 0)
        self._ale.loadROM(self._path)
        self._actions = self._ale.getMinimalActionSet()
        self.action_space = spaces.Discrete(len(self._actions))
        self.observation_space = spaces.Box(0, 255, self._seen.shape, np.uint8)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        if seed is not None:
            # The emulator's seed counts when a game is loaded.
            self._ale.setInt("random_seed", seed % 2**31)
            self._ale.loadROM(self._path)
            self.goes_on = False
        if not self.goes_on:
            self._ale.reset_game()
            self._length = self._held = 0
            self._ale.getScreenGrayscale(self._screens[1])
            self._seen[:] = shrunk(self._screens[1])[:, :, None]
        self.goes_on = False
        self._lives = self._ale.lives()
        self.frames = []
        return self._seen.copy(), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        reward, self.frames = 0.0, []
        for number in range(FRAMES_PER_ACTION):
            if self.np_random.random() >= STICKY:
                self._held = int(action)
            reward += self._ale.act(self._actions[self._held])
            if number >= FRAMES_PER_ACTION - 2:
                self._ale.getScreenGrayscale(self._screens[number % 2])
            if self.renders and number % 2:
                self.frames.append(self._ale.getScreenRGB())
        self._length += 1
        self._seen[:, :, :-1] = self._seen[:, :, 1:]
        self._seen[:, :, -1] = shrunk(np.maximum(*self._screens))
        is_over, is_long = self._ale.game_over(), self._length >= LONGEST
        lost = self.learns and self._ale.lives() < self._lives
        self._lives = self._ale.lives()
        self.goes_on = lost and not (is_over or is_long)
        self.last_reward = reward
        given = float(np.sign(reward)) if self.learns else float(reward)
        return self._seen.copy(), given, bool(is_over or lost), bool(is_long), {}

    def render(self) -> np.ndarray:
        return self._ale.getScreenRGB()

    def get_state(self) -> dict[str, np.ndarray]:
        """See `layerwise.tasks.episodes.states`."""
        emulator = np.frombuffer(self._ale.cloneState(include_rng=True).serialize(), "uint8")
        numbers = np.array([self._lives, self._length, self._held, self.goes_on])
        return {"emulator": emulator, "seen": self._seen.copy(), "numbers": numbers}

    def set_state(self, arrays: Mapping[str, np.ndarray]) -> None:
        """See `layerwise.tasks.episodes.states`."""
        from ale_py import ALEState

        self._ale.restoreState(ALEState(arrays["emulator"].tobytes()))
        self._seen = arrays["seen"].copy()
        self._lives, self._length, self._held, goes_on = (int(number) for number in arrays["numbers"])
        self.goes_on = bool(goes_on)


def shrunk(screen: np.ndarray) -> np.ndarray:
    """What is seen of a screen in grey, uint8 [210, 160]: uint8 [40, 40]."""
    square = screen[TOP : TOP + SIDE].astype("uint16")
    columns = np.add.reduce([square[:, place::FACTOR] for place in range(FACTOR)])
    rows = np.add.reduce([columns[place::FACTOR] for place in range(FACTOR)])
    return (rows // FACTOR**2).astype("uint8")
