"""Looking into any registered network, without a line from its plugin: its layers, what they make of an input, what in
the input an answer rests on, what its channels look for.

inspector = open_inspector(workspace, "vision/fashion:conv")
for look in inspector.looks():
    print(look.name, look.text)
*_, plots = inspector.look("grad-cam", {"image": "shoe.png"})

Each look is a module of its own; `layerwise.plots` says what it shows. A network is anything that `build` returns as a
Functional Keras model, or that offers `inspectable() -> {name: Functional model}`.
"""

from layerwise.inspection.inspector import Inspector, open_inspector
from layerwise.inspection.looks import Look

__all__ = ["Inspector", "Look", "open_inspector"]
