"""Explicit knowledge f(x): a photograph in, a pyramid of features out; one published family a file."""
