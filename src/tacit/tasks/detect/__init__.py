"""Boxes and classes: the anchor-based YOLOR head, its assignment, loss, decoding and metric."""
