"""The decoder of the Llama family: the network, its cache, and the reading of published weights."""
