"""Training: a typed recipe, one loop, a run folder that can always be resumed."""
