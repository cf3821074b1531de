"""Examples on their way to a network: downloaded, brought by users and unpacked without trust, decoded once, shown,
batched."""
