"""Runs, versions and models beside each other: measured on the same examples, ranked, tested for what is more than
chance."""
