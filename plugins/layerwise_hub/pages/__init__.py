"""The page of published models. Only the web app calls what draws it, so only these modules know Gradio."""
