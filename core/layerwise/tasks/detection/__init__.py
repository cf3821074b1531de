"""What detection is made of: boxes, the head of a network and its loss, metrics, data of the user's own."""
