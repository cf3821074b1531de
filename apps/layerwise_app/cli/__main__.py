"""`python -m layerwise_app.cli`."""

from layerwise_app.cli import main

main()
