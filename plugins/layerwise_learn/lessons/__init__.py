"""The lessons, in the order in which they are read."""

from __future__ import annotations

from layerwise import Lesson

LESSONS: tuple[Lesson, ...] = ()
