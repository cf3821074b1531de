"""Data of the user's own on the Train page: brought, looked at, chosen, deleted."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import gradio as gr

from layerwise import own_data
from layerwise.datasets.sample_data import has_sample
from layerwise.datasets.uploads import LARGEST_UPLOAD, SUFFIXES
from layerwise.errors import LayerwiseError
from layerwise.quota import in_bytes
from layerwise.versions import Reference
from layerwise_app.web.access.asking import locate
from layerwise_app.web.guard import QUIET, explain, guard
from layerwise_app.web.markup import markup, note, status
from layerwise_app.web.reports import report_html
from layerwise_app.web.site import Site

if TYPE_CHECKING:
    from layerwise.datasets.uploads import UploadStore
    from layerwise.specs import ModelSpec, Variant

USUAL = "The data that the model was made with"


def data_choice(uploads: UploadStore, *, has_usual: bool) -> gr.Dropdown:
    """Draw the choice of the data; its value is for `located`.

    Args:
        uploads: What was brought.
        has_usual: Whether the model has data of its own, which are then chosen at first.
    """
    return gr.Dropdown(
        choices_of(uploads, has_usual=has_usual),
        value="" if has_usual else None,
        label="Data",
        info="What was uploaded, or a path on the machine of the server",
        allow_custom_value=True,
        interactive=True,
        elem_classes="lw-wide",
    )


def located(uploads: UploadStore, data: str | None) -> Path | None:
    """Where the chosen data are; None for those that the model was made with.

    Raises:
        AccessError: It is no upload, and the visitor may name no path of the server.
        DataError: It is an archive that cannot be used.
    """
    return locate(uploads, data)


def choices_of(uploads: UploadStore, *, has_usual: bool) -> list[tuple[str, str]]:
    """What `data_choice` offers: the words, and the values."""
    usual = [(USUAL, "")] if has_usual else []
    return usual + [
        (f"{upload.id} ({', '.join(upload.files)}, {in_bytes(upload.num_bytes)})", upload.id)
        for upload in uploads.list()
    ]


class OwnData:
    """What a model is trained on, if not on the data that it was made with.

    Args:
        site: What is shown.
        spec: The model.
        variant: Which one of it.
    """

    def __init__(self, site: Site, spec: ModelSpec, variant: Variant) -> None:
        self.task, self.reference = spec.task_of(variant), str(Reference(spec.name, variant.name))
        self.uploads, self.has_usual = site.workspace.uploads, spec.data is not None

    def draw(self) -> gr.Dropdown:
        """Draw it, hidden for a task that cannot be trained on any; the component whose value `located` takes."""
        folder_format = self.task.folder_format
        with gr.Accordion("Train it on your own data", open=not self.has_usual, visible=bool(folder_format)):
            gr.Markdown(folder_format, elem_classes="lw-prose")
            markup(self._example(), visible=has_sample(self.task))
            files = gr.File(
                label=f"A zip archive, or tables: at most {in_bytes(LARGEST_UPLOAD)}",
                file_count="multiple",
                file_types=list(SUFFIXES),
                height=140,
            )
            self.data = data_choice(self.uploads, has_usual=self.has_usual)
            report = markup(elem_id="data-report")
            delete = gr.Button("Delete this upload", size="sm", visible=False)
        shown = [self.data, report, delete]
        files.upload(guard(self.take), files, [files, *shown], **QUIET)
        self.data.input(guard(self.look), self.data, shown, **QUIET)
        delete.click(guard(self.delete), self.data, shown, **QUIET)
        return self.data

    def take(self, files: Sequence[str]) -> Iterator[list[Any]]:
        """Keep what was uploaded, and look at it."""
        yield [gr.skip(), gr.skip(), status("Unpacking what you brought ..."), gr.skip()]
        try:
            upload = self.uploads.add([Path(file) for file in files])
        except LayerwiseError as error:
            yield [None, gr.skip(), note("This cannot be used.", str(error)), gr.skip()]
            return
        finally:
            for file in files:
                Path(file).unlink(missing_ok=True)
        if upload.left_out:
            gr.Info("Archives within the archive are left out.")
        chosen = gr.update(choices=choices_of(self.uploads, has_usual=self.has_usual), value=upload.id)
        yield [None, chosen, status("Looking at every file ..."), gr.update(visible=True)]
        yield [gr.skip(), gr.skip(), self._report(upload.folder), gr.skip()]

    def look(self, data: str | None) -> Iterator[list[Any]]:
        """Look at what was chosen or typed."""
        is_upload = data in [upload.id for upload in self.uploads.list()]
        yield [gr.skip(), status("Looking at every file ...") if data else "", gr.update(visible=is_upload)]
        try:
            path = located(self.uploads, data)
        except LayerwiseError as error:
            yield [gr.skip(), note("This cannot be used.", str(error)), gr.skip()]
            return
        yield [gr.skip(), self._report(path) if path else "", gr.skip()]

    def delete(self, data: str) -> list[Any]:
        """Delete the chosen upload."""
        self.uploads.delete(data)
        gr.Info("The upload is deleted. Versions that were trained on it stay.")
        return [
            gr.update(choices=choices_of(self.uploads, has_usual=self.has_usual), value=""),
            "",
            gr.update(visible=False),
        ]

    def _example(self) -> str:
        address = f"./api/v1/data/example.zip?{urlencode({'model': self.reference})}"
        return f'<p class="lw-links"><a href="{html.escape(address)}" download>Download an example</a></p>'

    def _report(self, path: Path) -> str:
        try:
            return report_html(own_data.check(self.task, path))
        except Exception as error:  # the reader is a plugin's code
            return note("This cannot be trained on.", explain(error))
