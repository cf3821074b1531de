"""The command line and the web app of Layerwise: they show whatever is registered."""
