"""Episodes of reinforcement learning: environments, their states, and playing in them."""
