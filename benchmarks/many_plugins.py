"""What fifty plugins cost: the time to the first page, and the memory of the server, beside none.

    python benchmarks/many_plugins.py --plugins 50

Both sides are started in turn, round by round. The plugins are files with a model each, in a home of their own; nobody
asks them. The exit status says whether the bars are met.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from statistics import median

from served import served

from layerwise.plugins.files import FOLDER

MOST_SECONDS, MOST_MEGABYTES = 5.0, 5.0
"""To the first page with all of them, and for each of them."""
PLUGIN = """
from layerwise import ModelCard, ModelSpec, hookimpl, tasks


def build(config, task):
    from layerwise.networks import dense_network

    return dense_network((*task.size, task.channels), (64,), output_units=len(task.labels), scale=1 / 255)


@hookimpl
def layerwise_models():
    task = tasks.ImageClassification(labels=("cat", "dog"), size=(32, 32))
    card = ModelCard(title="Pets {number}", summary="Which of the two a picture shows.")
    return [ModelSpec(name="{domain}/pets-{number}", task=task, build=build, card=card)]
"""
DOMAINS = ("vision", "language", "science", "pets", "homes")


def side(home: Path) -> tuple[float, float]:
    """Seconds to the first page, and MB of memory once all pages of the domains were asked for."""
    with served(home=home) as app:
        for domain in DOMAINS:
            try:
                urllib.request.urlopen(f"{app.address}/{domain}", timeout=60).read()
            except urllib.error.HTTPError as error:
                if error.code != 404:
                    raise
        time.sleep(1)
        status = Path(f"/proc/{app.pid}/status").read_text(encoding="ascii")
        kilobytes = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        return app.seconds, kilobytes / 1000


def main() -> int:
    """Measure, print, and return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plugins", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        homes = {"none": Path(folder) / "none", "all": Path(folder) / "all"}
        homes["none"].mkdir()
        (homes["all"] / FOLDER).mkdir(parents=True)
        for number in range(arguments.plugins):
            code = PLUGIN.format(number=number, domain=DOMAINS[number % len(DOMAINS)])
            (homes["all"] / FOLDER / f"many_pets_{number}.py").write_text(code, encoding="utf-8")
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in homes}
        for _ in range(arguments.rounds):
            for name, home in homes.items():
                found[name].append(side(home))
    seconds, memory = ({name: median(row[at] for row in rows) for name, rows in found.items()} for at in (0, 1))
    each = (memory["all"] - memory["none"]) / arguments.plugins
    print(f"first page: {seconds['none']:.2f} s without plugins, {seconds['all']:.2f} s with {arguments.plugins}")
    print(f"memory: {memory['none']:.0f} MB and {memory['all']:.0f} MB, {each:.2f} MB for each")
    met = seconds["all"] <= MOST_SECONDS and each <= MOST_MEGABYTES
    print(f"bars of {MOST_SECONDS:g} s and {MOST_MEGABYTES:g} MB: {'met' if met else 'MISSED'}")
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
