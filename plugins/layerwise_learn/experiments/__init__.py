"""What the experiments of the lessons compute: a module a lesson. Imported at the first use, as they need NumPy."""
