"""Which weights answer, and many at once: cached, joined, queued, watched; models that take turns in memory."""
