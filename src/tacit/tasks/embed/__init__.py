"""A unit vector for every detection that tells individuals apart: its head, loss, scores, and tracking by it."""
