"""A sentence for the photograph: a transformer decoder on the features of the trunk."""
