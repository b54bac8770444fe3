"""Weights on disk: safetensors with a record of what they are and where they come from."""

from tacit.weights.files import Weights, bundled, fit, load, read, save
from tacit.weights.record import Record

__all__ = ["Record", "Weights", "bundled", "fit", "load", "read", "save"]
