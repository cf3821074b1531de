"""The peer of benchmarks/serving.py: the same network in a plain `gr.Interface`, with `model.predict`.

python benchmarks/serving_peer.py MODEL PORT
"""

from __future__ import annotations

import sys

import gradio as gr
from PIL import Image

import layerwise
from layerwise.devices import quiet_import
from layerwise.runner import NetworkRunner


def main(reference: str, port: int) -> None:
    """Serve it."""
    quiet_import()
    workspace = layerwise.open_workspace()
    spec = workspace.registry.snapshot().model(reference.partition(":")[0])
    network = NetworkRunner(workspace.predictor.version(reference), spec)
    output = next(field.name for field in network.task.outputs if field.kind == "label-probabilities")

    def answer(image: Image.Image) -> dict[str, float]:
        batch = network.task.encode({"image": image})
        return network.task.decode(network.model.predict(batch, verbose=0))[0][output]

    demo = gr.Interface(answer, gr.Image(type="pil"), gr.Label(), api_name="predict", analytics_enabled=False)
    demo.launch(server_name="127.0.0.1", server_port=port, quiet=True, ssr_mode=False)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
