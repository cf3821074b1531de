"""The scaffolder: a plugin of one's own, written whole by `layerwise new-plugin NAME`.

What is written is a distribution that works at once: a network, data that are made by code, settings, a card, examples,
tests and a README. `templates/` holds the files that every plugin has, `templates/tasks/TASK/` what a task adds: its
module and, in `facts.toml`, what the other files say of it. A folder more there is a task more.
"""

from layerwise.scaffold.distribution import DEFAULT_TASK, NewPlugin, create, rendered, tasks
from layerwise.scaffold.names import check_name

__all__ = ["DEFAULT_TASK", "NewPlugin", "check_name", "create", "rendered", "tasks"]
