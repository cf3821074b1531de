"""Texts to numbers and back; writing token by token; conversations as one text."""
