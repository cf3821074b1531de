"""Molecules: read, standardised, described in numbers, drawn."""
