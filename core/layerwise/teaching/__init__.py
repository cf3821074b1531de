"""Lessons with live experiments, flashcards that come back, quizzes; which of them answers a question."""
