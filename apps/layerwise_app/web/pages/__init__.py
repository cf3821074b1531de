"""The pages: each module draws one, from a Site."""
