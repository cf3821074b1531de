"""Documents that are written from the code: `python -m layerwise.reference docs` writes docs/hooks.md and
docs/tasks.md."""
