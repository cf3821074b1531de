"""How long a picture takes in `vision/segmentation`, warm: the network, the watershed and the drawing together.

python benchmarks/segmentation.py [--side 1024] [--repeats 5]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--side", type=int, default=1024, help="height and width of the picture in pixels")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    # An answer that is given again says nothing of how long it takes.
    os.environ["LAYERWISE_ANSWER_CACHE"] = "0"
    import numpy as np
    from PIL import Image

    import layerwise
    from layerwise_vision.segmentation import examples

    with layerwise.open_workspace() as workspace:
        for example in examples():
            picture = np.asarray(Image.open(example.inputs["image"]).convert("RGB"))
            times = [-(-arguments.side // length) for length in picture.shape[:2]]
            large = np.tile(picture, (*times, 1))[: arguments.side, : arguments.side]
            answer = workspace.predictor.predict("vision/segmentation", {"image": large})
            seconds = []
            for _ in range(arguments.repeats):
                begin = time.perf_counter()
                workspace.predictor.predict("vision/segmentation", {"image": large})
                seconds.append(time.perf_counter() - begin)
            print(
                f"{example.label}, {arguments.side} x {arguments.side}, {len(answer['regions'])} things: "
                f"median {statistics.median(seconds):.2f} s of {arguments.repeats}"
            )


if __name__ == "__main__":
    main()
