"""`layerwise data` and `layerwise doctor`: what is on this machine."""

from __future__ import annotations

from typing import Any

import typer

from layerwise_app.cli.output import Json, print_json, print_pairs, print_table

EXTRAS = {
    "gpu": ("training and prediction on an NVIDIA GPU", None),
    "jax": ("the backend JAX (KERAS_BACKEND=jax)", "jax"),
    "torch": ("the backend PyTorch (KERAS_BACKEND=torch)", "torch"),
    "hub": ("pretrained models of Hugging Face", "transformers"),
    "cluster": ("training on several machines", "ray"),
    "tune": ("hyperparameter search", "keras-tuner"),
    "mlflow": ("tracking of runs in MLflow", "mlflow-skinny"),
    "parquet": ("tables of your own in Parquet files", "pyarrow"),
    "audio": ("sounds as WebM and MP4, which browsers and phones record", "av"),
    "tensorboard": ("curves in TensorBoard", "tensorboard"),
}
"""For each extra what it is for, and the distribution that tells whether it is installed."""


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (data, doctor):
        app.command()(command)


def data(json: Json = False) -> None:
    """List the data sets: how large they are, and whether they are on this machine."""
    from layerwise.data import find_files
    from layerwise.quota import in_bytes
    from layerwise.registry import Registry

    found = []
    for spec in Registry().snapshot().datasets.values():
        at_hand = find_files(spec)
        source = at_hand[0] if at_hand else None
        chosen = source or spec.sources[0]
        found.append(
            {
                "name": spec.name,
                "title": spec.title,
                "summary": spec.summary,
                "bytes": sum(file.size for file in chosen.files),
                "licence": chosen.licence,
                "homepage": chosen.homepage,
                "sources": [item.name for item in spec.sources],
                "here": source.name if source else None,
            }
        )
    if json:
        print_json(found)
        return
    rows = [
        (
            f"{item['name']}\n  {in_bytes(item['bytes']) if item['bytes'] else 'made by code'}",
            f"{item['summary']}\n"
            + (f"Here (source {item['here']})" if item["here"] else "Downloaded when it is needed")
            + f"; licence: {item['licence']}",
        )
        for item in found
    ]
    print_table(("data set\n  size", "what it is"), rows, empty="No data set is registered.")


def doctor(json: Json = False) -> None:
    """Say what this machine has: versions, devices and what each setting of a training would do with them, folders,
    and what is missing and how to get it."""
    from layerwise import paths
    from layerwise.hardware.advice import advice
    from layerwise.hardware.environment import environment
    from layerwise.hardware.slots import num_gpus

    found = environment()
    found["devices"], found["problems"] = _devices(found)
    found["settings"] = advice(found["devices"], num_gpus(), found["backend"]) if found["devices"] else []
    found["folders"] = {
        "home": str(paths.home()),
        "cache": str(paths.cache()),
        "data": [str(folder) for folder in paths.data_folders()],
    }
    found["problems"] += _plugin_problems()
    found["missing_extras"] = [
        {"extra": extra, "purpose": purpose, "install": f'pip install "layerwise[{extra}]"'}
        for extra, (purpose, package) in EXTRAS.items()
        if (found["packages"].get(package) is None if package else _needs_gpu_extra(found))
    ]
    if json:
        print_json(found)
    else:
        _print_report(found)
    if found["problems"]:
        raise typer.Exit(1)


def _devices(found: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """The devices that the backend sees, and why it cannot be used."""
    from layerwise.devices import describe

    try:
        return describe(), []
    except Exception as error:  # whatever keeps a backend from being imported is what doctor is asked for
        return [], [f"The backend {found['backend']} cannot be used: {error}"]


def _needs_gpu_extra(found: dict[str, Any]) -> bool:
    return bool(found["gpus"]) and all(device["kind"] == "CPU" for device in found["devices"])


def _plugin_problems() -> list[str]:
    from layerwise.registry import Registry

    return [
        f"The plugin {report.name} is {report.status}: {report.reason} (layerwise plugins)"
        for report in Registry().snapshot().plugins
        if report.status in ("failed", "quarantined")
    ]


def _print_report(found: dict[str, Any]) -> None:
    memory = f", {found['memory'] / 2**30:.0f} GiB of memory" if found["memory"] else ""
    gpus = [f"{gpu['name']} (driver)" for gpu in found["gpus"]] or ["none"]
    print_pairs(
        [
            ("Python", f"{found['python']} on {found['system']}"),
            ("processor", f"{found['cpu']}, {found['cores']} cores{memory}"),
            ("NVIDIA GPUs", ", ".join(gpus)),
            ("backend", found["backend"]),
            ("devices", ", ".join(f"{device['name']} ({device['kind']})" for device in found["devices"]) or "none"),
            *((f"{name} folder", path) for name, path in found["folders"].items() if isinstance(path, str)),
            ("data folders", ", ".join(found["folders"]["data"]) or "none (LAYERWISE_DATA)"),
        ]
    )
    print_table(("setting", "what it does here"), [(row["setting"], row["effect"]) for row in found["settings"]])
    print_table(
        ("package", "version"), [(name, version) for name, version in found["packages"].items() if version is not None]
    )
    if found["missing_extras"]:
        print_table(
            ("not installed", "for", "how to get it"),
            [(item["extra"], item["purpose"], item["install"]) for item in found["missing_extras"]],
        )
    for problem in found["problems"]:
        typer.secho(problem, fg="red", err=True)
    if not found["problems"]:
        typer.secho("Everything that is installed works.", fg="green")
