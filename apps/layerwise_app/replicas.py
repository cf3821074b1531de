"""The HTTP API in several replicas, on this machine or on many, by Ray Serve.

    python -m layerwise_app.replicas --replicas 2                            on this machine
    python -m layerwise_app.replicas --replicas 8 --address HOST:6379        on a Ray cluster

Every replica opens the same home (`LAYERWISE_HOME`), which must be on storage that all machines share: runs, promoted
versions and switches are the same for all, as everything is found in its folders. The pages are not served: a session
of Gradio lives in one process. Needs `pip install "layerwise[replicas]"`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from layerwise.errors import LayerwiseError, missing_extra
from layerwise.hardware.environment import backend_name, cores, thread_variables
from layerwise.paths import home

if TYPE_CHECKING:
    from fastapi import FastAPI

LOCAL = "local"
"""The address that starts Ray on this machine alone."""
MOST_REQUESTS = 128
"""How many requests a replica has at a time; its predictor computes together what comes together."""
_START_RAY = "start it with `ray start --head` on one machine and `ray start --address=HOST:6379` on the others"
_PASSED_ON = (
    "LAYERWISE_DATA",
    "LAYERWISE_CACHE",
    "LAYERWISE_PLUGINS",
    "LAYERWISE_MEMORY",
    "LAYERWISE_QUEUE",
    "PYTHONPATH",
)


def make_replica() -> FastAPI:
    """The app of one replica: the HTTP API, without the pages."""
    from fastapi import FastAPI

    from layerwise.workspace import open_workspace
    from layerwise_app.web.api import make_api
    from layerwise_app.web.health import make_health
    from layerwise_app.web.metrics import Metrics
    from layerwise_app.web.openapi import add_openapi
    from layerwise_app.web.operation import Operation

    workspace = open_workspace()
    operation = Operation(workspace, lambda: workspace.registry.check().number)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        workspace.close()

    app = FastAPI(title="Layerwise", lifespan=lifespan, openapi_url=None)
    add_openapi(app, workspace)
    app.include_router(make_health(operation, Metrics(operation)))
    app.include_router(make_api(operation))
    return app


def deploy(replicas: int, *, address: str = LOCAL, host: str = "127.0.0.1", port: int = 8000, cpus: int = 1) -> str:
    """Start the replicas, and return when they answer. They go on until `stop`, or until this process ends.

    Args:
        replicas: How many.
        address: That of a Ray cluster, or "local".
        host, port: Where the API is reached, on this machine.
        cpus: How many cores each replica computes with.

    Returns:
        The address of the API.

    Raises:
        MissingDependencyError: Ray Serve is not installed.
        LayerwiseError: The cluster cannot be reached, or the replicas do not start.
    """
    ray, serve = _ray_serve()
    variables = {
        "KERAS_BACKEND": backend_name(),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "LAYERWISE_HOME": str(home()),
        **thread_variables(cpus),
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
    }
    # One more, for those that take the requests in and watch the replicas.
    local = {"num_cpus": max(replicas * cpus, cores()) + 1, "include_dashboard": False} if address == LOCAL else {}
    with _in_words(f"The cluster {address!r} cannot be reached", _START_RAY, OSError, RuntimeError, ValueError):
        ray.init(address=address, runtime_env={"env_vars": variables}, log_to_driver=False, **local)
    deployment = serve.deployment(
        serve.ingress(make_replica)(),
        name="layerwise",
        num_replicas=replicas,
        max_ongoing_requests=MOST_REQUESTS,
        ray_actor_options={"num_cpus": cpus},
    )
    remedy = "see the logs of Ray, and whether the machines have room for so many"
    with _in_words("The replicas do not start", remedy, RuntimeError, TimeoutError, ray.exceptions.RayError):
        serve.start(http_options={"host": host, "port": port})
        serve.run(deployment.bind(), name="layerwise", route_prefix="/")
    return f"http://{host}:{port}"


def stop() -> None:
    """End the replicas, and leave the cluster."""
    ray, serve = _ray_serve()
    serve.shutdown()
    ray.shutdown()


@contextlib.contextmanager
def _in_words(what: str, remedy: str, *kinds: type[Exception]) -> Iterator[None]:
    try:
        yield
    except kinds as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise LayerwiseError(what, received=lines[0][:300], remedy=remedy) from error


def _ray_serve() -> tuple[Any, Any]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Read when Ray is imported: nothing of it listens outside this machine then, unless a cluster is named.
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        import ray
        from ray import serve
    except ModuleNotFoundError as error:
        raise missing_extra("ray[serve]", "replicas", "Serving in replicas") from error
    return ray, serve


def main() -> int:
    """Serve until it is interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicas", type=int, default=2)
    parser.add_argument("--address", default=LOCAL)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--cpus", type=int, default=1, help="cores that each replica computes with")
    options = parser.parse_args()
    try:
        where = deploy(
            options.replicas, address=options.address, host=options.host, port=options.port, cpus=options.cpus
        )
        print(f"Layerwise is at {where}, in {options.replicas} replicas", flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
        stop()
    except LayerwiseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
