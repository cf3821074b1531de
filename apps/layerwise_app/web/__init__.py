"""The web app: pages and an HTTP API for whatever the registry holds."""

import os

# Read by these packages when they are imported, so they are set before anything here imports them: no
# statistics are sent. The hub itself can be asked: published weights are fetched from there.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
