"""Go by search and a network: rules, search, training."""
