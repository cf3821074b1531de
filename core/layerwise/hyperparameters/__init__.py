"""Searches for hyperparameters: what they try, what proposes it, and the folders that they are kept in."""
