"""Pretrained: models that others have published with transformers, beside those that are trained here."""

from layerwise import hookimpl

LAYERWISE_HOOKS = 1


@hookimpl
def layerwise_models():
    from layerwise_hub.models import registered_models

    return registered_models()


@hookimpl
def layerwise_tasks():
    from layerwise_hub.probed import ProbedPictures, ProbedTexts

    return [ProbedTexts, ProbedPictures]


@hookimpl
def layerwise_pages():
    from layerwise import Page

    return [
        Page(
            name="pretrained",
            title="Pretrained",
            draw="layerwise_hub.pages.pretrained:draw",
            summary="Models that others have published, in the same demos as those that are trained here.",
        )
    ]


@hookimpl
def layerwise_commands(app):
    from layerwise_hub.commands import hub

    app.add_typer(hub, name="hub")
