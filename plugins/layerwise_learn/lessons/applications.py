"""Where deep learning is used; deep reinforcement learning in a small world."""

from __future__ import annotations

from dataclasses import dataclass

from layerwise import Experiment, Lesson, Settings, setting
from layerwise_learn.lessons.controls import seed

TEXT = r"""
The same parts (layers, a loss, gradients) serve very different fields. What changes is what goes in, what comes out,
and which architecture suits the data.

- **Computer vision** finds out what is in a picture: which object, where, which pixels belong to it. Convolutional
  networks and vision transformers read pixels; medicine, cars and photo libraries use them.
- **Natural language processing (NLP)** cuts text into tokens and turns them into vectors. Transformers translate,
  summarise, answer and write, one token after the other.
- **Speech and sound.** A recording becomes a picture of time and frequency, and then words; the way back gives a voice.
- **Science.** Networks predict how proteins fold, which molecules may work as drugs, or what the weather will be.
- **Deep reinforcement learning** learns to act, in games, robots and control. It works differently enough for a closer
  look.

**Learning by trial and error.** There is no table of right answers. An **agent** is in a world. At each step it gets an
**observation**, chooses an **action**, and receives a **reward**, a number. Its rule for choosing is the **policy**. It
wants the largest sum of rewards, where later ones count less by the **discount** $\gamma$:

$$R = r_1 + \gamma r_2 + \gamma^2 r_3 + \dots$$

A network can learn the **value** $Q(s, a)$: what sum to expect after action $a$ in state $s$. What is best now follows
from what comes next, which gives the target that it is trained on by squared error:

$$Q(s, a) \leftarrow r + \gamma \max_{a'} Q(s', a')$$

The policy then takes the action of the largest value, and sometimes a random one, to **explore** what it does not know
yet. This is the deep Q-network (DQN) of Mnih et al. (2015), which learned to play video games from their pixels.
"""


@dataclass(frozen=True, kw_only=True)
class AgentSettings(Settings):
    num_episodes: int = setting(80, "Attempts, each from the start", minimum=5, maximum=300, unit="episodes", log=True)
    exploration: float = setting(0.2, "Share of random actions", minimum=0, maximum=1)
    discount: float = setting(0.9, "Discount: how much later rewards count", minimum=0.1, maximum=0.99)
    learning_rate: float = setting(0.005, "Learning rate of the network", minimum=0.0001, maximum=0.1, log=True)
    seed: int = seed()


LESSON = Lesson(
    name="applications",
    title="Where it is used",
    chapter="Applications",
    summary="Vision, language, speech, science, and deep reinforcement learning: observation, action, reward, policy.",
    text=TEXT,
    experiments=(
        Experiment(
            name="agent",
            title="An agent learns to find its way",
            text="The agent starts at the lower left. The goal (reward 1) is at the upper right, in front of it lies a "
            "pit (reward -1), and each step costs 0.02. Nobody tells it the way. What happens without exploration, and "
            "with a small discount?",
            show="layerwise_learn.experiments.applications:agent",
            settings=AgentSettings,
            button="Let it learn",
        ),
    ),
    demos=("vision", "language", "speech", "rl", "science"),
)
