"""What the HTTP API answers about models, versions and runs, as its schema says it. The answers themselves are made by
`layerwise_app.web.descriptions` and are not checked again."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class _Body(BaseModel):
    # What else is answered, a plugin's task may add.
    model_config = ConfigDict(extra="allow")


class HealthBody(_Body):
    """Whether the server answers."""

    status: str
    version: str = Field(description="Of Layerwise.")
    snapshot: int | None = Field(description="The number of what is registered, as the pages show it.")
    started: str = Field(description="Another one after each start of the server.")


class VersionBody(_Body):
    """A trained result that can be used."""

    version: str = Field(description="Its id: shipped, fetched, code, or that of the run that made it.")
    model: str
    variant: str
    created: str | None = Field(None, description="ISO 8601, in UTC.")
    num_parameters: int | None = None
    metrics: dict[str, Any] = Field(description="What was measured at the end of its training.")
    measured: dict[str, Any] | None = Field(None, description="What was measured on held-out examples.")


class FieldBody(_Body):
    """An input or an output of a model."""

    name: str
    kind: str = Field(description="image, audio, text, number, choice, table, label-probabilities ...")
    label: str
    optional: bool


class ModelBody(_Body):
    """A model."""

    name: str = Field(examples=["vision/fashion"])
    title: str
    summary: str
    task: str
    inputs: list[FieldBody]
    outputs: list[FieldBody]
    variants: dict[str, VersionBody | None] = Field(
        description="Its networks by their names, the default one first, each with the version in use."
    )


class SettingBody(_Body):
    """A setting of a training."""

    name: str
    type: str
    default: Any
    meaning: str
    range: str


class ModelDetails(ModelBody):
    """A model with its card and settings, and all versions of each of its networks."""

    description: str
    limits: str
    licence: str
    sources: list[str]
    settings: list[SettingBody]
    versions: dict[str, list[VersionBody]]


class RunBody(_Body):
    """A training run."""

    id: str
    model: str
    variant: str
    by: str | None = Field(None, description="The account that has started it, where one has to sign in.")
    created: str = Field(description="ISO 8601, in UTC.")
    data: str | None = None
    device: str
    state: str = Field(description="queued, running, finished, stopped or failed.")
    reason: str = Field(description="Why it stopped or failed, or what it waits for; empty otherwise.")
    epochs: int = Field(description="How many are finished.")
    num_epochs: int | None = None
    metrics: dict[str, Any] = Field(description="Those of the last finished epoch.")
    checkpoint: str | None = Field(None, description="When the newest was written, ISO 8601.")
    has_version: bool = Field(description="Whether there is something to promote.")
    is_resumable: bool
    is_promoted: bool


class RunDetails(RunBody):
    """A training run with its config and the metrics of each epoch."""

    config: dict[str, Any]
    history: list[dict[str, Any]]


class RunEvents(_Body):
    """What happened in a run."""

    state: str
    events: list[dict[str, Any]]
    next: int = Field(description="The `start` of the next request.")


def answers(body: Any, status: int = 200) -> dict[str, Any]:
    """The arguments of a route that answers with `body`: said in the schema, not checked at each answer."""
    return {"response_model": None, "responses": {status: {"model": body}}}
