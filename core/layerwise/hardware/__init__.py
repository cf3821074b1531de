"""The devices and the machines: what there is, what a run takes for itself, and how several share one training."""
