"""Boxes, overlap, letterbox and suppression: pure functions, each in the file of its name.

Nothing is re-exported: `letterbox` works without torch, and importing this package must not load it.
"""
