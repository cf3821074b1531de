"""How soon agents learn, and how fast they practise: `rl/cartpole` beside Stable-Baselines3.

    pip install stable-baselines3
    python benchmarks/rl.py [--seeds 5] [--rounds 3]

First CartPole-v1 is learned with several seeds by `rl/cartpole` as it is registered: 100,000 steps in the environment,
then the mean return of 100 episodes (best 500), and the time it took with its imports and its compilation. Then both
sides practise for 100,000 steps with the same settings (8 environments side by side, 32 steps, 20 passes in batches of
256, two networks of 64 and 64 neurons), by turns: steps in the environment per second, medians and their ratio.

The exit status says whether the bars are met.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

STEPS = 100_000
BARS = {"mean return": 500.0, "seconds": 180.0, "ratio": 1.0}


def learned(workspace: Any, seed: int) -> tuple[float, float]:
    """The mean return of 100 episodes after a training of its own process, and the seconds that it took."""
    from layerwise import jobs
    from layerwise.evaluation import evaluate

    spec = workspace.registry.snapshot().model("rl/cartpole")
    begin = time.perf_counter()
    run = jobs.start(workspace.runs, spec, config=replace(spec.variant().config, seed=seed))
    last = list(jobs.follow(run, poll=0.05))[-1]
    seconds = time.perf_counter() - begin
    if last["event"] != "finished":
        raise SystemExit(f"{run.id} {last['event']}: {last.get('reason', '')}")
    return evaluate(workspace, f"rl/cartpole@{run.id}")["metrics"]["mean_return"], seconds


def ours(workspace: Any, seed: int) -> float:
    """Steps per second of a whole training in this process, with its compilation."""
    from layerwise.context import Context
    from layerwise_rl.ppo import train

    snapshot = workspace.registry.snapshot()
    spec = snapshot.model("rl/cartpole")
    # Measured once, at the end, since the other side is not measured on its way either.
    config = replace(spec.variant().config, seed=seed, milestones=1)
    context = Context.of(workspace.runs.create(spec, None, config), snapshot)
    begin = time.perf_counter()
    train(context)
    return STEPS / (time.perf_counter() - begin)


def theirs(seed: int) -> float:
    """Likewise of Stable-Baselines3."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env

    environments = make_vec_env("CartPole-v1", n_envs=8, seed=seed)
    agent = PPO(
        "MlpPolicy",
        environments,
        n_steps=32,
        batch_size=256,
        n_epochs=20,
        learning_rate=lambda left: 1e-3 * left,
        clip_range=lambda left: 0.2 * left,
        gae_lambda=0.8,
        gamma=0.98,
        ent_coef=0.0,
        seed=seed,
        device="cpu",
    )
    begin = time.perf_counter()
    agent.learn(STEPS)
    return STEPS / (time.perf_counter() - begin)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    from layerwise import open_workspace

    met = True
    with tempfile.TemporaryDirectory() as folder, open_workspace(Path(folder) / "home") as workspace:
        for seed in range(arguments.seeds):
            mean, seconds = learned(workspace, seed)
            met &= mean >= BARS["mean return"] and seconds <= BARS["seconds"]
            print(f"seed {seed}: mean return {mean:.1f} of 500 in {seconds:.0f} s", flush=True)
        rates: dict[str, list[float]] = {"ours": [], "Stable-Baselines3": []}
        for seed in range(arguments.rounds):
            rates["ours"].append(ours(workspace, seed))
            rates["Stable-Baselines3"].append(theirs(seed))
    medians = {name: statistics.median(values) for name, values in rates.items()}
    ratio = medians["ours"] / medians["Stable-Baselines3"]
    print(", ".join(f"{name} {value:,.0f} steps/s" for name, value in medians.items()) + f", ratio {ratio:.2f}")
    return 0 if met and ratio >= BARS["ratio"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
