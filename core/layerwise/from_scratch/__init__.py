"""What a dense network computes while it learns, in plain NumPy and float64, every value by name: for what one watches,
and to check Keras against."""
