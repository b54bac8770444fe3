"""The embedding task: its plan, its vectors, its loss, and that knowledge folds away."""

import json
import math

import numpy as np
import pytest
import torch
from scenes_of_individuals import PYRAMID, maps, sample, scene
from torch import nn
from trained import look_trained

from tacit.data.identities import UNKNOWN, number_of
from tacit.data.sample import Dataset
from tacit.errors import WeightsError
from tacit.geometry.letterbox import plan_letterbox
from tacit.nn.fold import fold
from tacit.nn.knowledge import Knowledge
from tacit.nn.uses import Modelling, Operator, Uses
from tacit.tasks.bend import uses_to_json
from tacit.tasks.cells import Positives
from tacit.tasks.detect.answer import Boxes
from tacit.tasks.embed.answer import Vectors, similarity
from tacit.tasks.embed.head import Embed
from tacit.tasks.embed.loss import TEMPERATURE, contrastive_loss
from tacit.tasks.task import Sight
from tacit.thresholds import Thresholds

CELLS = 12 * 8 + 6 * 4 + 3 * 2  # of an input of 96 x 64


def embed(**plan):
    torch.manual_seed(0)
    return Embed.build(PYRAMID, {"dimension": 8, **plan})


def test_smoke_forward_decode():
    task = embed()
    raw = task(maps())
    assert [tuple(level.shape) for level in raw] == [(2, 8, 12, 8), (2, 8, 6, 4), (2, 8, 3, 2)]
    vectors = task.decode(raw)["vectors"]
    assert vectors.shape == (2, CELLS, 8)
    assert torch.allclose(vectors.norm(dim=2), torch.ones(2, CELLS), atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_no_direction_is_no_nan(dtype):
    raw = [torch.zeros(1, 8, 2, 2, dtype=dtype)]
    vectors = embed().decode(raw)["vectors"]
    assert vectors.dtype == torch.float32
    assert not vectors.any()


@pytest.mark.parametrize("modelling", Modelling)
@pytest.mark.parametrize("alignment", Operator)
def test_folds(alignment, modelling):
    uses = Uses(alignment=alignment, modelling=modelling, selection=True)
    task = look_trained(embed(knowledge=uses_to_json(uses)))
    folded = fold(task)
    assert not [module for module in folded.modules() if isinstance(module, Knowledge | nn.BatchNorm2d)]
    for before, after in zip(task(maps()), folded(maps()), strict=True):
        torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)


def test_the_plan_rebuilds_it():
    task = embed(identities=True, knowledge={"alignment": "concat"})
    again = Embed.build(PYRAMID, json.loads(json.dumps(task.plan)))
    again.load_state_dict(task.state_dict())
    assert again.identities
    assert again.plan == task.plan


@pytest.mark.parametrize(
    "plan",
    [
        {"dimension": 1},
        {"dimension": 10**9},
        {"dimension": "64"},
        {"dimension": True},
        {"dimension": 64.0},
        {"identities": 1},
        {"knowledge": 3},
        {"knowledge": {"alignment": "subtract"}},
    ],
)
def test_a_plan_that_is_none(plan):
    with pytest.raises(WeightsError):
        Embed.build(PYRAMID, plan)


def test_what_teaches_it():
    assert Embed.labels(scene(3, 4))
    assert Embed.labels(scene(3, UNKNOWN))
    assert not Embed.labels(scene(UNKNOWN, UNKNOWN))
    assert not Embed.labels(scene())
    assert not Embed.labels(scene(None))


@pytest.mark.parametrize("views", [True, False])
def test_the_plan_says_what_stood_in(tmp_path, views):
    samples = [sample(tmp_path / "a.png", 1, [[8, 8, 40, 40]], [3], views=each) for each in (views, True)]
    dataset = Dataset(tmp_path, "MOT", "all", ("person",), (1,), tuple(samples), ())
    assert Embed.plan_for([dataset]) == {"dimension": 64, "identities": not views}


def test_targets_leave_out_strangers():
    targets = embed().targets([scene(3, UNKNOWN), scene(UNKNOWN, 5)])
    assert targets["identities"].tolist() == [3, 5]
    assert targets["objects"][:, 0].tolist() == [0, 1]
    assert targets["objects"].shape == (2, 5)


def test_numbers_of_63_bits_survive():
    number = number_of("somebody")
    assert embed().targets([scene(number)])["identities"].tolist() == [number]


@pytest.mark.parametrize("scenes", [[], [scene(1, 2), scene(3, 4)]])
def test_nothing_to_compare_is_a_loss_of_nothing(scenes):
    task = embed()
    raw = task([level[: len(scenes)] for level in maps()]) if scenes else [level[:0] for level in task(maps())]
    loss = task.loss(raw, task.targets(scenes))
    loss.total.backward()
    assert loss.total.item() == 0
    assert all(parameter.grad is None or parameter.grad.isfinite().all() for parameter in task.parameters())
    assert any(parameter.grad is not None for parameter in task.parameters())


def rows(images, cells, objects):
    return Positives(torch.tensor(images), torch.tensor(cells), torch.tensor(objects))


def test_the_loss_by_hand():
    """Two of one individual and a stranger, of cosines 1/2, 0 and 0."""
    vectors = torch.tensor([[[1.0, 0, 0]], [[0.5, math.sqrt(0.75), 0]], [[0, 0, 3.0]]], requires_grad=True)
    loss = contrastive_loss(vectors, torch.tensor([7, 7, 8]), rows([0, 1, 2], [0, 0, 0], [0, 1, 2]))
    expected = -math.log(math.exp(0.5 / TEMPERATURE) / (math.exp(0.5 / TEMPERATURE) + 1))
    assert loss.parts["contrast"].item() == pytest.approx(expected, rel=1e-5)
    assert loss.total.item() == pytest.approx(3 * expected, rel=1e-5)


def test_cells_of_one_object_are_passed_over():
    vectors = torch.nn.functional.normalize(torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0)), dim=2)
    alone = contrastive_loss(vectors, torch.tensor([7]), rows([0, 0], [0, 1], [0, 0]))
    assert alone.total.item() == 0
    three = contrastive_loss(vectors, torch.tensor([7, 7, 8]), rows([0, 1, 1], [0, 0, 1], [0, 1, 2]))
    more = contrastive_loss(vectors, torch.tensor([7, 7, 8]), rows([0, 1, 1, 1], [0, 0, 1, 1], [0, 1, 2, 2]))
    assert more.total > three.total  # a stranger of two cells stands in the way twice


def test_too_many_cells_are_thinned():
    count = 5000
    vectors = torch.randn(1, count, 4, generator=torch.Generator().manual_seed(0))
    every = torch.arange(count)
    found = contrastive_loss(vectors, every % 7, Positives(torch.zeros_like(every), every, every))
    assert found.total.isfinite()


def test_gradient_pulls_partners_together():
    vectors = torch.tensor([[[1.0, 0.1]], [[0.1, 1.0]], [[1.0, 0.0]]], requires_grad=True)
    loss = contrastive_loss(vectors, torch.tensor([7, 7, 8]), rows([0, 1, 2], [0, 0, 0], [0, 1, 2]))
    loss.total.backward()
    moved = torch.nn.functional.normalize(vectors - 0.1 * vectors.grad, dim=2).detach()[:, 0]
    before = torch.nn.functional.normalize(vectors, dim=2).detach()[:, 0]
    assert moved[0] @ moved[1] > before[0] @ before[1]


def test_each_box_has_the_vector_of_the_cell_that_found_it():
    task = embed()
    decoded = {"vectors": torch.eye(8)[torch.arange(CELLS) % 8]}
    boxes = np.zeros((2, 4), np.float32)
    found = Boxes(boxes, boxes, np.ones(2, np.float32), np.zeros(2, np.int64), np.array([5, 11]))
    sight = Sight(plan_letterbox((96, 64), (96, 64)), Thresholds(), {"detect": found})
    answer = task.answer(decoded, sight)
    assert answer.views
    assert answer.vectors.argmax(1).tolist() == [5, 3]


def test_the_answer_as_json_and_in_words():
    answer = Vectors(np.array([[1 / 3, -2 / 3], [1, 0]], np.float32))
    assert json.loads(json.dumps(answer.to_json())) == [[0.3333, -0.6667], [1.0, 0.0]]
    assert answer.summary() == ""


def test_similarity():
    a = Vectors(np.array([[1, 0], [0, 1]], np.float32))
    b = Vectors(np.array([[0.6, 0.8], [1, 0], [-1, 0]], np.float32))
    np.testing.assert_allclose(similarity(a, b), [[0.6, 1, -1], [0.8, 0, 0]], atol=1e-6)


def test_it_learns_who_is_who():
    torch.manual_seed(0)
    task = Embed.build(PYRAMID, {"dimension": 8})
    scenes = [scene(1, 2), scene(2, 1)]
    optimiser = torch.optim.Adam(task.parameters(), 0.01)
    losses = []
    for _ in range(30):
        loss = task.loss(task(maps()), task.targets(scenes))
        optimiser.zero_grad()
        loss.total.backward()
        optimiser.step()
        losses.append(loss.total.item())
    assert losses[-1] < 0.5 * losses[0]
