"""The part of the Models page where a version is taken away as a file."""

from __future__ import annotations

import html
import shutil
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from layerwise.errors import ExportError
from layerwise.export import FORMATS, Exported
from layerwise.versions import Reference, parse_reference
from layerwise_app.web.exports import export_folder, export_steps
from layerwise_app.web.guard import QUIET, guard
from layerwise_app.web.markup import markup, status

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec
    from layerwise.versions import Version
    from layerwise.workspace import Workspace


class ExportPart:
    """A choice of the version, a button for each format, and the finished file."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def draw(self) -> None:
        """Draw the components."""
        gr.Markdown(
            "### Export\n\nA zip with the network, what it takes and gives, and how to run it.",
            elem_classes="lw-prose",
        )
        self.version = gr.Dropdown([], label="Version to export")
        with gr.Row():
            self.buttons = {
                name: gr.Button(file_format.title.removeprefix("TensorFlow "), min_width=90)
                for name, file_format in FORMATS.items()
            }
        self.said = markup(elem_id="export")
        self.file = gr.DownloadButton("Download", visible=False, variant="primary")

    @property
    def components(self) -> list[Any]:
        """What `look` gives values for."""
        return [self.version, *self.buttons.values(), self.said, self.file]

    def wire(self, model: gr.Dropdown) -> None:
        """Connect the components. `model` says which model is shown."""
        for name, button in self.buttons.items():

            def write(reference: str, version: str | None, name: str = name) -> Iterator[list[Any]]:
                yield from self.write(reference, version, name)

            shown = [*self.buttons.values(), self.said, self.file]
            button.click(guard(write), [model, self.version], shown, **QUIET)

    def look(self, spec: ModelSpec | None, versions: Sequence[Version], current: str | None) -> list[Any]:
        """The values of `components` for a model that was chosen: nothing exported yet."""
        identifiers = [version.id for version in versions]
        can = bool(identifiers) and spec is not None and spec.runner is None
        said = "" if can or not identifiers else "<p>This model is more than one network, so it cannot be exported.</p>"
        chosen = current if current in identifiers else next(iter(identifiers), None)
        return [gr.update(choices=identifiers, value=chosen), *self._buttons(can), said, gr.update(visible=False)]

    def write(self, reference: str, identifier: str | None, file_format: str) -> Iterator[list[Any]]:
        """Write a version: what is being done, and at last the file."""
        if not identifier:
            raise ExportError("There is no version to export", remedy="train the network first")
        parsed = parse_reference(reference)
        wanted, folder = Reference(parsed.name, parsed.variant, identifier), export_folder()
        try:
            for step in export_steps(self.workspace, wanted, file_format, to=folder):
                if isinstance(step, Exported):
                    yield [*self._buttons(True), _said(step), _file(step)]
                else:
                    doing = status(f"{step[:1].upper()}{step[1:]} ...")
                    yield [*self._buttons(False), doing, gr.update(visible=False)]
        except Exception:
            shutil.rmtree(folder, ignore_errors=True)
            # The message of an error says what happened; the page must not go on looking busy.
            yield [*self._buttons(True), "", gr.update(visible=False)]
            raise

    @staticmethod
    def _buttons(interactive: bool) -> list[Any]:
        return [gr.update(interactive=interactive) for _ in FORMATS]


def _said(exported: Exported) -> str:
    check = exported.metadata["check"]
    return (
        f'<p role="status">{html.escape(check["runtime"])} was compared with Layerwise on {check["examples"]} '
        f"examples: the largest difference of an output is <b>{check['largest_difference']:.2g}</b>.</p>"
    )


def _file(exported: Exported) -> Any:
    megabytes = exported.path.stat().st_size / 1e6
    return gr.update(
        value=str(exported.path), label=f"Download {exported.path.name} ({megabytes:.1f} MB)", visible=True
    )
