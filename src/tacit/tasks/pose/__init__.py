"""Poses: the keypoints of every object of certain classes, persons for one."""
