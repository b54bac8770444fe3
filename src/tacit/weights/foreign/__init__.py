"""Checkpoints of other projects: read without running anything in them, recognised, and given our names.

`torch_file` (with `pickled`) and `darknet` read files, `checkpoint` finds the network in what was saved, `recognise`
(with `description`) tells which one it is.
"""
