"""The door: plugins found, loaded one at a time in a guard, checked; what became of each, and how their hooks
failed."""
