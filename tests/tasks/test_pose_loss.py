"""The loss of poses, row by row."""

import pytest
import torch

from tacit.tasks.pose.loss import CONFIDENCE, FINE, POINTS, Wanted, pose_loss

AT = torch.tensor([[[10.0, 20.0], [30.0, 40.0]]])
SURE = torch.tensor([[20.0, 20.0]])


def wanted(visible, size=100.0):
    return Wanted(AT, torch.tensor([visible]), torch.tensor([size]))


def test_right_points_cost_nothing():
    loss = pose_loss(AT, SURE, wanted([2, 1]), 1)
    assert loss.total.item() == pytest.approx(0, abs=1e-6)


def test_a_distance_counts_in_parts_of_the_objects_size():
    moved = AT + torch.tensor([30.0, 0.0])
    loss = pose_loss(moved, SURE, wanted([2, 2], size=100.0), 1)
    assert loss.parts["points"].item() == pytest.approx(POINTS * (0.3 - FINE / 2))
    far = pose_loss(moved, SURE, wanted([2, 2], size=50.0), 1)
    assert far.parts["points"].item() == pytest.approx(POINTS * (0.6 - FINE / 2))


def test_points_without_a_label_teach_that_they_are_unseen_and_nothing_of_where():
    points, sure = (AT + 50).requires_grad_(), torch.zeros(1, 2, requires_grad=True)
    loss = pose_loss(points, sure, wanted([2, 0]), 1)
    loss.total.backward()
    assert points.grad[0, 0].abs().min() > 0
    assert (points.grad[0, 1] == 0).all()
    assert sure.grad[0, 0] < 0 < sure.grad[0, 1]


def test_far_points_are_drawn_as_hard_as_near_ones():
    """The gradient of 1 - OKS would be nothing at all out there."""
    points = (AT + torch.tensor([[[1000.0, 0.0], [20.0, 0.0]]])).requires_grad_()
    pose_loss(points, SURE, wanted([2, 2]), 1).total.backward()
    assert points.grad[0, 0, 0] == points.grad[0, 1, 0] > 0


def test_no_rows_no_loss():
    points, sure = torch.zeros(0, 2, 2, requires_grad=True), torch.zeros(0, 2, requires_grad=True)
    nothing = Wanted(torch.zeros(0, 2, 2), torch.zeros(0, 2, dtype=torch.int64), torch.zeros(0))
    loss = pose_loss(points, sure, nothing, 3)
    loss.total.backward()
    assert loss.total == 0


def test_confidence_is_a_cross_entropy():
    loss = pose_loss(AT, torch.zeros(1, 2), wanted([2, 0]), 4)
    assert loss.parts["confidence"].item() == pytest.approx(CONFIDENCE * 0.693147, rel=1e-5)
    assert loss.total.item() == pytest.approx(4 * CONFIDENCE * 0.693147, rel=1e-5)
