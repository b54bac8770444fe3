"""From the tasks' losses to one number: stated and learned weights, and whether the tasks agree."""

import math

import pytest
import torch
from torch import Tensor

from tacit.errors import ConfigError
from tacit.tasks.task import TaskLoss
from tacit.training.balance import Balance
from tacit.training.weighing import Weighing, agreement


def loss_of(total: float | Tensor) -> TaskLoss:
    total = torch.as_tensor(total, dtype=torch.float32)
    return TaskLoss(total, {"part": total.detach() / 2})


LOSSES = {"detect": loss_of(3.0), "pose": loss_of(5.0)}
IMAGES = {"detect": 4, "pose": 2}


@pytest.mark.parametrize(
    ("weights", "total"), [({}, 8), ({"pose": 2.0}, 13), ({"detect": 0.0}, 5), ({"detect": 0.5, "pose": 0.1}, 2)]
)
@pytest.mark.parametrize("learned", [False, True])
def test_value_learned_weights_start_at_the_stated_ones(weights: dict[str, float], total: float, learned: bool) -> None:
    weighed = Weighing(Balance(weights=weights, learned=learned), list(LOSSES))(LOSSES, IMAGES)
    assert weighed.total.item() == pytest.approx(total)


def test_value_every_part_is_logged_unweighted() -> None:
    parts = Weighing(Balance(weights={"pose": 2.0}), list(LOSSES))(LOSSES, IMAGES).parts
    assert {name: value.item() for name, value in parts.items()} == {"loss/detect/part": 1.5, "loss/pose/part": 2.5}


def test_value_learned_weights_are_logged() -> None:
    weighing = Weighing(Balance(weights={"pose": 2.0}, learned=True), list(LOSSES))
    with torch.no_grad():
        weighing.uncertainty["pose"].fill_(math.log(4))
    parts = weighing(LOSSES, IMAGES).parts
    assert parts["detect weight"].item() == pytest.approx(1)
    assert parts["pose weight"].item() == pytest.approx(0.5)


def test_value_fixed_weights_have_nothing_to_learn() -> None:
    assert not list(Weighing(Balance(), list(LOSSES)).parameters())
    assert len(list(Weighing(Balance(learned=True), list(LOSSES)).parameters())) == 2


def test_gradient_of_the_uncertainty() -> None:
    """d/ds of L exp(-s) + n s is n - L exp(-s): a task whose loss an image is above 1 learns to count less."""
    weighing = Weighing(Balance(weights={"pose": 2.0}, learned=True), list(LOSSES))
    weighing(LOSSES, IMAGES).total.backward()
    assert weighing.uncertainty["detect"].grad.item() == pytest.approx(4 - 3)
    assert weighing.uncertainty["pose"].grad.item() == pytest.approx(2 - 2 * 5)


def test_value_the_best_weight_is_one_over_the_loss_of_an_image() -> None:
    weighing = Weighing(Balance(learned=True), ["pose"])
    with torch.no_grad():
        weighing.uncertainty["pose"].fill_(math.log(5 / 2))
    weighing({"pose": loss_of(5.0)}, {"pose": 2}).total.backward()
    assert weighing.uncertainty["pose"].grad.item() == pytest.approx(0, abs=1e-6)


def test_gradient_a_task_without_images_moves_nothing() -> None:
    weighing = Weighing(Balance(learned=True), ["detect", "pose"])
    total = weighing({"detect": loss_of(3.0), "pose": loss_of(0.0)}, {"detect": 4, "pose": 0}).total
    total.backward()
    assert weighing.uncertainty["pose"].grad.item() == 0


def agreement_of(*gradients: tuple[float, ...]) -> dict[str, float]:
    """Of tasks a, b, ... whose losses have these gradients by a shared map of two parts."""
    shared = [torch.ones(1, requires_grad=True), torch.ones(2, requires_grad=True)]
    losses = {
        name: loss_of((torch.tensor(gradient) * torch.cat(shared)).sum())
        for name, gradient in zip("abc", gradients, strict=False)
    }
    return {pair: float(cosine) for pair, cosine in agreement(losses, shared).items()}


def test_value_agreement_is_the_cosine_over_all_shared_maps() -> None:
    assert agreement_of((1.0, 0.0, 0.0), (3.0, 0.0, 4.0)) == {"a and b": pytest.approx(0.6)}
    assert agreement_of((1.0, 2.0, 3.0), (-2.0, -4.0, -6.0)) == {"a and b": pytest.approx(-1)}


def test_value_agreement_of_every_pair_that_is_heard() -> None:
    """A task that no picture of the batch taught says nothing, and agrees with nobody."""
    assert agreement_of((1.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 1.0, 0.0)) == {"a and c": pytest.approx(0)}


def test_value_agreement_leaves_the_graph_for_the_step() -> None:
    shared = torch.ones(2, requires_grad=True)
    losses = {"a": loss_of((shared**2).sum()), "b": loss_of(shared.sum()), "c": loss_of(torch.zeros(()))}
    assert list(agreement(losses, [shared])) == ["a and b"]
    (losses["a"].total + losses["b"].total).backward()
    assert shared.grad.tolist() == [3, 3]


def test_value_a_trunk_that_holds_still_hears_nothing() -> None:
    shared, own = torch.ones(2), torch.ones(2, requires_grad=True)
    assert agreement({"a": loss_of((shared * own).sum()), "b": loss_of(own.sum())}, [shared]) == {}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"weights": {"pose": -1.0}}, "'pose' cannot count -1"),
        ({"weights": {"pose": math.nan}}, "'pose' cannot count nan"),
        ({"conflict_every": -1}, "conflict_every=-1"),
    ],
)
def test_error_impossible_balance(options: dict, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Balance(**options)
