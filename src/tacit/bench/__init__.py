"""How fast this machine is, and how much of that each engine makes of a model."""
