"""Fuzzing, for as long as you like: python tests/hostile/fuzz.py --seconds 3600

Cases are made from good and hostile files by `mutation` and brought to the decoders in processes of their own, so one
that crashes, hangs or fills the memory is found and said. Which case comes next is kept in the folder, so a run that
ended goes on where it was; `--report` says what was tried so far. With --engine atheris the cases are guided by which
lines they reach (pip install "layerwise[fuzz]").

What fails is kept as failures/<door>-<digest>.bin with what was raised beside it. The exit status is then 1.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from hostile.decoders import DECODERS
from hostile.mutation import case, seeds

from layerwise.errors import LayerwiseError
from layerwise.paths import cache, write_atomically

BATCH = 250
"""Cases of a process, after which is kept what came of them."""
LONGEST = 20
"""Seconds of computing for one case, so that a busy machine fails nobody; of waiting, six times as many."""
MEMORY = 3 * 2**30
"""Bytes that a process may take for its cases."""


def tried(door: str, data: bytes, sandbox: Path) -> str:
    """What came of a case: "read", "refused", or how it failed."""
    sandbox.mkdir()
    try:
        DECODERS[door](data, sandbox)
        return "read"
    except LayerwiseError:
        return "refused"
    except BaseException:
        return traceback.format_exc(limit=-12)
    finally:
        shutil.rmtree(sandbox, ignore_errors=True)


def batch(door: str, start: int, count: int, seed: int, found: Any) -> None:
    """Try cases, in a process of their own; what came of them goes into the pipe `found` one by one."""
    _limit_memory()
    # Its usual answer is the end of the process, also while a library in C is stuck.
    for late in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(late, signal.SIG_DFL)
    with open(os.devnull, "w") as nothing, tempfile.TemporaryDirectory() as folder:  # noqa: PTH123
        os.dup2(nothing.fileno(), 2)
        for number in range(start, start + count):
            data = case(door, number, seed)
            signal.setitimer(signal.ITIMER_PROF, LONGEST)
            signal.alarm(6 * LONGEST)
            came = tried(door, data, Path(folder) / "sandbox")
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.alarm(0)
            found.send(came)
    found.close()


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))


class Campaign:
    """All cases so far.

    Args:
        folder: Where they are counted and failures kept.
        seed: Decides which cases there are.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.seed = folder, seed
        self.path = folder / f"counts-{seed}.json"
        with contextlib.suppress(FileNotFoundError):
            self.counts: dict[str, dict[str, int]] = json.loads(self.path.read_text(encoding="utf-8"))
        if not self.path.exists():
            self.counts = {}

    def of(self, door: str) -> dict[str, int]:
        """What came of the cases for a door."""
        return self.counts.setdefault(door, {"cases": 0, "read": 0, "refused": 0, "failed": 0})

    def run(self, door: str, count: int = BATCH) -> None:
        """Try the next cases for a door. One that ends its process is counted, and the next comes in another one."""
        done = self.of(door)
        start, end = done["cases"], done["cases"] + count
        context = multiprocessing.get_context("fork")
        while start < end:
            receiving, sending = context.Pipe(duplex=False)
            process = context.Process(target=batch, args=(door, start, end - start, self.seed, sending))
            process.start()
            sending.close()
            with contextlib.suppress(EOFError):
                while True:
                    self._note(door, start, receiving.recv())
                    start += 1
            process.join()
            receiving.close()
            if start < end:
                is_late = process.exitcode in (-signal.SIGALRM, -signal.SIGPROF)
                how = "took too long" if is_late else f"ended its process: {process.exitcode}"
                self._note(door, start, f"The case {how}")
                start += 1
        write_atomically(self.path, json.dumps(self.counts, indent=2) + "\n")

    def _note(self, door: str, number: int, came: str) -> None:
        done = self.of(door)
        done["cases"] = number + 1
        if came in ("read", "refused"):
            done[came] += 1
        else:
            done["failed"] += 1
            self.keep(door, case(door, number, self.seed), f"case {number} of seed {self.seed}\n{came}")

    def keep(self, door: str, data: bytes, said: str) -> None:
        """Keep a case that failed."""
        name = f"{door}-{hashlib.sha256(data).hexdigest()[:12]}"
        write_atomically(self.folder / "failures" / f"{name}.bin", data)
        write_atomically(self.folder / "failures" / f"{name}.txt", said)
        print(f"{door}: {said.strip().splitlines()[-1]}  (failures/{name}.bin)", flush=True)

    def report(self) -> None:
        """Print what was tried."""
        print(f"{'door':20}{'cases':>12}{'read':>12}{'refused':>12}{'failed':>8}")
        total = {"cases": 0, "read": 0, "refused": 0, "failed": 0}
        for path in sorted(self.folder.glob("counts-*.json")):
            for door, done in json.loads(path.read_text(encoding="utf-8")).items():
                print(f"{door:20}{done['cases']:>12,}{done['read']:>12,}{done['refused']:>12,}{done['failed']:>8,}")
                total = {name: total[name] + done[name] for name in total}
        print(f"{'all':20}{total['cases']:>12,}{total['read']:>12,}{total['refused']:>12,}{total['failed']:>8,}")


def guided(door: str, campaign: Campaign, seconds: float) -> None:
    """Fuzz a door with atheris, which finds cases that reach other lines. Ends the process."""
    try:
        import atheris
    except ImportError:
        sys.exit('The engine atheris needs the package atheris. What to do: pip install "layerwise[fuzz]"')
    found, sandbox = campaign.folder / "atheris" / door, Path(tempfile.mkdtemp())
    # Ours alone: what others wrote is as it is.
    with atheris.instrument_imports(include=["layerwise", "layerwise_app", "layerwise_learn", "layerwise_rl"]):
        for number, data in enumerate(seeds(door)):
            tried(door, data, sandbox / "sandbox")
            write_atomically(found / f"seed-{number}", data)
    done = campaign.of(f"{door} by atheris")

    def one(data: bytes) -> None:
        came = tried(door, data, sandbox / "sandbox")
        done["cases"] += 1
        done[came if came in done else "failed"] += 1
        if came not in done:
            campaign.keep(door, data, came)
        if done["cases"] % 100 == 0:
            write_atomically(campaign.path, json.dumps(campaign.counts, indent=2) + "\n")

    (campaign.folder / "failures").mkdir(parents=True, exist_ok=True)
    limits = [f"-max_total_time={int(seconds)}", f"-timeout={LONGEST}", "-rss_limit_mb=4096", "-max_len=100000"]
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={campaign.folder}/failures/", str(found)], one)
    atheris.Fuzz()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Fuzz every decoder of foreign bytes.")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long")
    parser.add_argument("--cases", type=int, help="... or until there are so many in all")
    parser.add_argument("--door", action="append", choices=sorted(DECODERS), help="only these decoders")
    parser.add_argument("--engine", choices=("mutation", "atheris"), default="mutation")
    parser.add_argument("--seed", type=int, default=0, help="other cases than those of another seed")
    parser.add_argument("--folder", type=Path, default=cache() / "fuzz", help="where cases are counted and kept")
    parser.add_argument("--report", action="store_true", help="only say what was tried so far")
    asked = parser.parse_args()
    campaign, doors = Campaign(asked.folder, asked.seed), asked.door or list(DECODERS)
    if not asked.report:
        if asked.engine == "atheris":
            guided(doors[0], campaign, asked.seconds)
        end = time.monotonic() + asked.seconds
        for door in doors:  # before the processes are made, which then have what it imports
            with tempfile.TemporaryDirectory() as folder:
                tried(door, seeds(door)[0], Path(folder) / "sandbox")
        while time.monotonic() < end and not _is_enough(campaign, asked.cases):
            campaign.run(min(doors, key=lambda door: campaign.of(door)["cases"]))
    campaign.report()
    sys.exit(any((asked.folder / "failures").glob("*.bin")))


def _is_enough(campaign: Campaign, cases: int | None) -> bool:
    return cases is not None and sum(done["cases"] for done in campaign.counts.values()) >= cases


if __name__ == "__main__":
    main()
