"""Who may do what on a server: signing in, roles, and how often somebody may ask."""
