"""Layers that know nothing of any task."""
