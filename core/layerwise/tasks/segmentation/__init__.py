"""What the task ImageSegmentation is made of: tiles, heads, metrics, drawings, folders of pictures with masks."""
