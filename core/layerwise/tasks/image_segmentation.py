"""Pictures in, regions of them out: things that are counted, or areas of several classes."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from layerwise.errors import SpecError
from layerwise.tasks.base import Answer, Task
from layerwise.tasks.fields import Field
from layerwise.tasks.labels import places_of

if TYPE_CHECKING:
    import numpy as np

    from layerwise.config import TrainingConfig
    from layerwise.own_data import OwnData
    from layerwise.plots import Plot
    from layerwise.runner import Runner
    from layerwise.specs import ModelSpec
    from layerwise.splits import Split
    from layerwise.tasks.segmentation.heads import Head
    from layerwise.versions import Version

LOWEST, HIGHEST = 0.05, 0.95
"""The range of the threshold."""
CONTRASTS = ("as-is", "stretched")


@dataclass(frozen=True, kw_only=True)
class ImageSegmentation(Task):
    """Which pixels of a picture belong to what.

    The network takes tiles of a picture, pixels 0 to 255 [tiles, tile, tile, channels], and gives logits
    [tiles, tile, tile, outputs]: for things two (`layerwise.tasks.segmentation.heads.Instances`), for areas one for the
    ground and one for each label (`Areas`). Pictures of any size are cut into tiles that overlap. The splits of a data
    set hold whole pictures, uint8 [height, width, channels], and maps of labels [height, width], 0 for the ground,
    both as arrays of objects.

    Args:
        labels: What the regions are: one name for things, one or more for areas.
        instances: Whether regions are things that are told apart and counted, also where they touch.
        tile: Height and width in pixels of what the network takes.
        channels: 1 for grey, 3 for red, green and blue.
        contrast: "as-is" shows the picture to the network as it is; "stretched" makes its darkest pixels black and its
            brightest white, and inverts pictures with a light ground, for recordings whose brightness means nothing
            (microscopes).
        threshold: From this probability on a pixel belongs to a region.

    Raises:
        SpecError: A value is not usable.

    Example:
        >>> task = ImageSegmentation(labels=("nucleus",), tile=64)
        >>> task.warm_input().shape
        (1, 64, 64, 3)
    """

    type_name: ClassVar[str] = "image-segmentation"
    metric: ClassVar[str] = "mean_average_precision_50"
    folder_format: ClassVar[str] = """A folder `images` with the pictures, and a folder `masks` with a mask for each:

    cells/images/a.png
    cells/masks/a.png

A mask is as large as its picture and black where there is nothing. Things to be counted each have a number or a colour
of their own (an indexed, 8-bit or 16-bit PNG, or one in colour); in a mask of black and white, those that do not touch
are told apart. Or a folder with a mask for each thing: `cells/masks/a/1.png`, `cells/masks/a/2.png`. For areas, the
numbers are those of the classes, whose names `cells/labels.txt` has, one on each line.

A folder for each picture with both in it (`cells/a/images/a.png`, `cells/a/masks/...`) will do, too.

At least two pictures. A fifth of them, chosen by their names, is held out to test the result; or divide them yourself:
`cells/train/images/a.png`, `cells/test/images/b.png` and so on.
"""
    network_takes: ClassVar[str] = (
        "Tiles of a picture, pixels 0 to 255 [tile, height, width, channel]. With the contrast “stretched” the 1st "
        "percentile of the picture is black and the 99.8th white, and pictures with a light ground are inverted."
    )
    network_gives: ClassVar[str] = (
        "Logits [tile, height, width, 2] for things: whether there is one (sigmoid), and how far within it "
        "(sigmoid). For areas one for the ground and one for each label (softmax)."
    )
    labels: tuple[str, ...]
    instances: bool = True
    tile: int = 256
    channels: int = 3
    contrast: str = "as-is"
    threshold: float = 0.5

    def __post_init__(self) -> None:
        owner = "ImageSegmentation"
        labels = tuple(self.labels) if not isinstance(self.labels, str) else (self.labels,)
        most = 1 if self.instances else 255
        if not 1 <= len(labels) <= most or len(set(labels)) != len(labels) or not all(labels):
            raise SpecError(
                f"{owner} has unusable labels",
                expected="one name" if self.instances else "1 to 255 different names",
                received=repr(self.labels),
            )
        object.__setattr__(self, "labels", labels)
        if type(self.tile) is not int or not 16 <= self.tile <= 2048 or self.tile % 16:
            raise SpecError(
                f"{owner}: tile is not usable", expected="a multiple of 16 up to 2048", received=repr(self.tile)
            )
        if self.channels not in (1, 3):
            raise SpecError(
                f"{owner}: channels is not usable", expected="1 (grey) or 3 (colour)", received=repr(self.channels)
            )
        if self.contrast not in CONTRASTS:
            raise SpecError(
                f"{owner}: contrast is not known", expected=" or ".join(CONTRASTS), received=repr(self.contrast)
            )
        if not self.instances:
            object.__setattr__(self, "metric", "mean_iou")
        if not LOWEST <= self.threshold <= HIGHEST:
            raise SpecError(
                f"{owner}: threshold is out of range", expected=f"{LOWEST} to {HIGHEST}", received=repr(self.threshold)
            )

    @property
    def head(self) -> Head:
        """What the network gives and is trained on."""
        from layerwise.tasks.segmentation.heads import Areas, Instances

        return Instances() if self.instances else Areas(len(self.labels))

    @property
    def output_names(self) -> tuple[str, ...]:
        """What the channels of the network's output are called, for those who look into it."""
        return (self.labels[0], f"how far within a {self.labels[0]}") if self.instances else ("ground", *self.labels)

    @property
    def inputs(self) -> tuple[Field, ...]:
        return (Field(name="image", kind="image", label="Picture"), self._threshold_field)

    @property
    def _threshold_field(self) -> Field:
        return Field(
            name="threshold",
            kind="number",
            label="Probability from which a pixel belongs to a region",
            minimum=LOWEST,
            maximum=HIGHEST,
            default=self.threshold,
        )

    @property
    def outputs(self) -> tuple[Field, ...]:
        return (
            Field(name="overlay", kind="image", label="What was found"),
            Field(name="summary", kind="text", label="In short"),
            Field(name="regions", kind="table", label="Regions, in pixels"),
            Field(name="labels", kind="file", label="Download the map of labels (PNG)"),
            Field(name="measures", kind="file", label="Download the table (CSV)"),
        )

    def runner(self, version: Version, spec: ModelSpec) -> Runner:
        from layerwise.tasks.segmentation.runner import TiledRunner

        return TiledRunner(version, spec)

    def picture(self, inputs: Mapping[str, Any]) -> np.ndarray:
        """The picture `inputs["image"]`, in any form that `layerwise.tasks.images.load_image` reads, as uint8
        [height, width, channels].

        Raises:
            InputError: There is no picture, or it cannot be read.
        """
        import numpy as np

        from layerwise.tasks.images import load_image

        image = load_image(inputs.get("image")).convert("RGB" if self.channels == 3 else "L")
        return np.asarray(image).reshape(image.height, image.width, self.channels)

    def prepared(self, picture: np.ndarray) -> np.ndarray:
        """A picture as the network sees it, uint8 [height, width, channels]."""
        from layerwise.tasks.segmentation.contrast import stretched

        return stretched(picture) if self.contrast == "stretched" else picture

    def encode(self, inputs: Mapping[str, Any]) -> np.ndarray:
        """The middle tile of the picture, [1, tile, tile, channels]: what a look into the network is given.

        Raises:
            InputError: As from `picture`.
        """
        from layerwise.tasks.segmentation.tiles import Tiling

        picture = self.picture(inputs)
        tiling = Tiling.of(picture, self.tile)
        tiles = tiling.cut(self.prepared(picture))
        middle = (picture.shape[0] - self.tile) / 2, (picture.shape[1] - self.tile) / 2
        distances = [abs(row - middle[0]) + abs(left - middle[1]) for row, left in tiling.corners]
        return tiles[distances.index(min(distances))][None]

    def decode(self, outputs: np.ndarray) -> list[Answer]:
        """Regions of tiles, drawn on black since the tiles are not known here; `answer` has the picture."""
        import numpy as np

        probabilities = self.head.probabilities(np.asarray(outputs, "float32"))
        return [self.answer(np.zeros((*tile.shape[:2], 3), "uint8"), tile) for tile in probabilities]

    def answer(self, picture: np.ndarray, probabilities: np.ndarray, threshold: float | None = None) -> Answer:
        """What is said of a picture.

        Args:
            picture: uint8 [height, width, channels].
            probabilities: What the network says of each pixel, [height, width, outputs].
            threshold: From this probability on a pixel belongs to a region; None is the task's.

        Raises:
            InputError: The threshold is out of its range.
        """
        return self.answer_of(picture, self.head.labels(probabilities, self._threshold_field.value(threshold)))

    def answer_of(self, picture: np.ndarray, labels: np.ndarray) -> Answer:
        """What is said of a picture whose regions are known.

        Args:
            picture: uint8 [height, width, channels].
            labels: What each pixel belongs to, int32 [height, width], 0 for the ground.
        """
        from layerwise.tasks.segmentation import drawing

        columns = drawing.INSTANCE_COLUMNS if self.instances else drawing.AREA_COLUMNS
        rows = drawing.instance_rows(labels) if self.instances else drawing.area_rows(labels, self.labels)
        return {
            "overlay": drawing.overlay(picture, labels),
            "summary": self._summary(labels, [int(row["area"]) for row in rows]),
            "regions": rows,
            "labels": {"name": "labels.png", "content": drawing.label_png(labels)},
            "measures": {"name": "regions.csv", "content": drawing.table_csv(columns, rows)},
        }

    def _summary(self, labels: np.ndarray, areas: Sequence[int]) -> str:
        if not areas:
            return "Nothing was found."
        covered = f"on {100 * sum(areas) / labels.size:.1f} % of the picture"
        if not self.instances:
            return f"{len(areas)} of {len(self.labels)} classes, {covered}."
        # A colon rather than a plural: labels are the user's own words.
        return f"{self.labels[0]}: {len(areas)}, {covered}. The median area is {statistics.median(areas):.0f} pixels."

    def loss(self, config: TrainingConfig) -> Callable:
        return self.head.loss

    def training_metrics(self) -> dict[str, Callable]:
        return {"dice": self.head.dice}

    def to_train_on(self, split: Split) -> Split:
        """Tiles of the pictures, uint8 [tiles, tile, tile, channels], and what the network shall give for them."""
        import numpy as np

        from layerwise.splits import Split
        from layerwise.tasks.segmentation.tiles import Tiling

        tiles, targets = [], []
        for place in range(len(split)):
            picture, labels = split.inputs[place], split.targets[place]
            tiling = Tiling.of(picture, self.tile, overlap=0)
            tiles.append(tiling.cut(self.prepared(picture)))
            # Before they are cut: the middle of a thing is where it is, whatever of it a tile shows.
            targets.append(tiling.cut(self.head.targets(labels)))
        return Split(np.concatenate(tiles), np.concatenate(targets))

    def evaluate(self, outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
        """See `layerwise.tasks.segmentation.metrics`.

        Args:
            outputs: What was found in each picture, `layerwise.tasks.segmentation.metrics.Segmented` [pictures].
            targets: The right map of labels of each [pictures], as objects too.
        """
        from layerwise.tasks.segmentation import metrics

        if not self.instances:
            return metrics.area_metrics(self._tables(outputs, targets), self.labels)
        pairs = zip(outputs, targets, strict=True)
        return metrics.instance_metrics([found.compare(right, metrics.score_instances) for found, right in pairs])

    def report(self, outputs: Any, targets: np.ndarray, inputs: Any) -> Sequence[Plot]:
        """See `layerwise.tasks.segmentation.report`."""
        from layerwise.tasks.segmentation.report import report_areas, report_instances

        if self.instances:
            return report_instances(list(outputs), list(targets), inputs)
        return report_areas(self._tables(outputs, targets), self.labels)

    def _tables(self, outputs: np.ndarray, targets: np.ndarray) -> list[np.ndarray]:
        from layerwise.tasks.segmentation.metrics import confusion_of_areas

        count = len(self.labels) + 1
        return [
            found.compare(right, lambda a, b: confusion_of_areas(a, b, count))
            for found, right in zip(outputs, targets, strict=True)
        ]

    def read_folder(self, folder: Path) -> OwnData[Self]:
        """Pictures with masks: this task, and whole pictures with their maps of labels. See `folder_format`.

        Raises:
            DataError: The folder is not laid out like that, or a tenth of its pictures or more is unreadable.
        """
        from layerwise.own_data import OwnData
        from layerwise.tasks.segmentation.mask_folder import read_masks

        names, splits, report = read_masks(folder, channels=self.channels, instances=self.instances)
        labels = self.labels if self.instances else names
        return OwnData(task=dataclasses.replace(self, labels=labels), splits=splits, report=report)

    def write_sample(self, folder: Path) -> None:
        """Pictures with discs, each with a number of its own; for areas, with two shapes."""
        from layerwise.tasks.segmentation.mask_folder import write_sample

        write_sample(folder, instances=self.instances)

    def read_to_measure(self, folder: Path) -> dict[str, Split]:
        """As for every task; the numbers of the classes are those of this task."""
        import numpy as np

        from layerwise.splits import Split
        from layerwise.tasks.folders import Files

        data = self.read_folder(folder)
        if self.instances:
            return data.splits
        numbers = np.array([0, *(place + 1 for place in places_of(data.task.labels, self.labels, folder))], "int32")

        def renumbered(maps: Files) -> Files:
            return Files(list(maps.paths), lambda path: numbers[maps.read(path)])

        return {name: Split(part.inputs, renumbered(part.targets)) for name, part in data.splits.items()}

    def warm_input(self) -> np.ndarray:
        import numpy as np

        return np.zeros((1, self.tile, self.tile, self.channels), "uint8")
