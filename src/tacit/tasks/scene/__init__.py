"""A class for every pixel, and with instance masks a panoptic map: head, loss, answer and metric."""
