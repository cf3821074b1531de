"""Sequences of letters that stand for molecules: DNA, RNA and proteins."""
