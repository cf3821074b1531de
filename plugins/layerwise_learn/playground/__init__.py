"""The playground: a dense network that learns points of the plane while one watches.

The server keeps nothing between two calls: a state (config, parameters, what the optimizer remembers) comes in, and the
state some steps later goes out with a frame to draw (`service`). So visitors are independent, a page that does not ask
costs nothing, and any server process can answer any call.
"""
