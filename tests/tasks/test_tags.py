"""The tagging task: its plan, what it is taught, what it answers, and that it learns, folds and exports its shapes."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tacit import zoo
from tacit.api import load
from tacit.data.images import load_image
from tacit.data.read import read
from tacit.data.sample import Dataset, Sample, Scene
from tacit.data.tags import BoxTags, TagLabels
from tacit.errors import DataError, WeightsError
from tacit.geometry.letterbox import letterbox, plan_letterbox
from tacit.nn.fold import fold
from tacit.nn.uses import Modelling, Operator, Uses
from tacit.tasks.bend import uses_to_json
from tacit.tasks.tags.answer import Tags
from tacit.tasks.tags.head import MOST_TAGS, Tagging
from tacit.tasks.tags.loss import tag_loss
from tacit.tasks.tags.metric import average_precision
from tacit.tasks.task import Pyramid, Sight
from tacit.thresholds import Thresholds

PYRAMID = Pyramid((4, 6, 8), (8, 16, 32), (((8, 8),),) * 3)
NAMES = ["cat", "dog", "sea", "sky"]
SIGHT = Sight(plan_letterbox((60, 100), 64), Thresholds(), {})


def task(single=False, names=NAMES, pyramid=PYRAMID, **uses):
    plan = {"names": list(names), "single": single, "knowledge": uses_to_json(Uses(**uses))}
    return Tagging.build(pyramid, json.loads(json.dumps(plan)))


def maps(batch, seed=0, pyramid=PYRAMID):
    torch.manual_seed(seed)
    sides = [64 // stride for stride in pyramid.strides]
    return [torch.randn(batch, width, side, side) for width, side in zip(pyramid.channels, sides, strict=True)]


def scene(classes=(), *labels, boxed=True):
    boxes = np.tile(np.array([[0, 0, 9, 9]], np.float32), (len(classes), 1))
    image = np.zeros((64, 64, 3), np.uint8)
    return Scene(image, boxes, np.array(classes, np.int64), {type(label): label for label in labels}, boxed)


def words(*names, vocabulary=NAMES, single=False):
    return TagLabels(frozenset(names), tuple(vocabulary), single)


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("batch", [0, 1, 3])
def test_raw_and_decoded_are_a_row_a_photograph(single, batch):
    head = task(single)
    raw = head(maps(batch))
    decoded = head.decode(raw)
    assert [tuple(rows.shape) for rows in raw] == [(batch, 4)]
    assert decoded["tags"].shape == (batch, 4)
    assert ((decoded["tags"] > 0) & (decoded["tags"] < 1)).all()
    if single:
        assert torch.allclose(decoded["tags"].sum(1), torch.ones(batch))


def test_any_pyramid_of_the_zoo_will_do():
    trunk = zoo.create("debug", 3).trunk.eval()
    levels = trunk(torch.zeros(1, 3, 64, 96))
    channels = tuple(level.shape[1] for level in levels)
    assert task(pyramid=replace(PYRAMID, channels=channels))(levels)[0].shape == (1, 4)


def test_an_object_in_one_cell_is_pooled_as_one_anywhere():
    head = task().eval()
    here, there = maps(1), [level.roll((1, 2), (2, 3)) for level in maps(1)]
    torch.testing.assert_close(head(here)[0], head(there)[0])


USES = (
    {},
    {"alignment": Operator.NONE, "refinement": Operator.NONE},
    {"alignment": Operator.CONCAT, "refinement": Operator.ADD, "selection": True},
    {"alignment": Operator.MULTIPLY, "modelling": Modelling.NETWORK},
    {"reduction": True},
    {"reduction": True, "selection": True, "modelling": Modelling.FACTORISATION},
)


@pytest.mark.parametrize("uses", USES, ids=str)
def test_every_use_of_knowledge_folds(uses):
    head, levels = task(**uses).eval(), maps(2)
    for parameter in head.parameters():
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    folded = fold(head)
    torch.testing.assert_close(folded(levels)[0], head(levels)[0], rtol=1e-5, atol=1e-5)
    assert len(list(folded.parameters())) == 4  # two convolutions


def test_it_starts_at_the_frequency_of_tags():
    names = [f"tag {i}" for i in range(80)]
    chance = task(names=names).decode(task(names=names)(maps(4)))["tags"]
    assert 0.01 < chance.mean() < 0.06


@pytest.mark.parametrize(
    "plan",
    [
        {},
        {"names": []},
        {"names": "cat"},
        {"names": ["cat", 3]},
        {"names": ["cat", "cat"]},
        {"names": ["cat", " "]},
        {"names": ["x" * 1000]},
        {"names": [str(i) for i in range(MOST_TAGS + 1)]},
        {"names": NAMES, "single": "yes"},
        {"names": NAMES, "knowledge": {"clusters": True}},
        {"names": NAMES, "knowledge": {"alignment": "eval"}},
    ],
)
def test_a_plan_that_is_none_is_refused(plan):
    with pytest.raises(WeightsError):
        Tagging.build(PYRAMID, plan)


def dataset(*samples, classes=()):
    return Dataset(Path("x"), "test", "all", tuple(classes), tuple(range(len(classes))), samples, ())


def sample(*labels, classes=(), crowd=False, boxed=True, number=1):
    boxes = np.tile(np.array([[0, 0, 9, 9]], np.float32), (len(classes), 1))
    marks, area = np.full(len(classes), crowd), np.full(len(classes), 81, np.float32)
    known = {type(label): label for label in labels}
    return Sample(Path("a.png"), 64, 64, number, boxes, np.array(classes, np.int64), marks, area, known, boxed)


def test_the_plan_says_what_the_labels_say():
    boxes = dataset(sample(classes=[1]), classes=["cat", "dog"])
    folders = dataset(sample(words("sea", single=True), boxed=False))
    assert Tagging.plan_for([boxes]) == {"names": ["cat", "dog"], "single": False}
    assert Tagging.plan_for([folders]) == {"names": NAMES, "single": True}
    assert Tagging.plan_for([folders, boxes]) == {"names": NAMES, "single": False}
    with pytest.raises(DataError, match="5,000 tags"):
        Tagging.plan_for([dataset(sample(), classes=list(map(str, range(5000))))])


def test_what_labels_tags():
    assert Tagging.labels(scene([0]))
    assert Tagging.labels(scene([]))  # nothing was boxed, and so no tag is there
    assert Tagging.labels(scene((), words("sea"), boxed=False))
    assert not Tagging.labels(scene((), boxed=False))
    mixture = BoxTags.joined([None, None], [0, 0])
    assert not Tagging.labels(scene([0], mixture))
    assert Tagging.labels(scene([0], mixture, words("sea")))


def test_targets_come_from_boxes_crowds_and_words():
    crowd = BoxTags(("cat", "dog"), np.array([[0, 0, 9, 9]], np.float32), ("dog",))
    scenes = [
        scene([1, 1, 0]),
        scene([]),
        scene([0], crowd),
        scene((), words("sky", vocabulary=["sea", "sky", "never heard of"]), boxed=False),
    ]
    targets = task().targets(scenes)
    assert targets["wanted"].tolist() == [[1, 1, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 1]]
    assert targets["known"].tolist() == [[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 1, 1]]
    assert task().targets([])["wanted"].shape == (0, 4)


def test_read_remembers_crowds():
    (read,) = Tagging.read(dataset(sample(classes=[1], crowd=True), classes=["cat", "dog"])).samples
    assert read.label(BoxTags).crowd_names == ("dog",)


@pytest.mark.parametrize("single", [False, True])
def test_the_loss_is_a_sum_over_photographs(single):
    head = task(single)
    targets = head.targets([scene((), words("sea"), boxed=False), scene((), words("cat"), boxed=False)])
    raw = [torch.randn(2, 4)]
    both = head.loss(raw, targets)
    alone = [head.loss([raw[0][i : i + 1]], {k: v[i : i + 1] for k, v in targets.items()}) for i in range(2)]
    torch.testing.assert_close(both.total, alone[0].total + alone[1].total)
    torch.testing.assert_close(both.parts["tags"], both.total / 2)


def test_the_loss_by_hand():
    raw, wanted = torch.tensor([[2.0, -1.0, 0.5]]), torch.tensor([[1.0, 0.0, 0.0]])
    known = torch.tensor([[1.0, 1.0, 0.0]])
    many = (np.log1p(np.exp(-2.0)) + np.log1p(np.exp(-1.0))) / 2
    assert tag_loss(raw, wanted, known, single=False).total.item() == pytest.approx(many, rel=1e-6)
    one = -np.log(np.exp(2) / (np.exp(2) + np.exp(-1)))
    assert tag_loss(raw, wanted, known, single=True).total.item() == pytest.approx(one, rel=1e-6)


@pytest.mark.parametrize("single", [False, True])
def test_what_is_not_known_teaches_nothing(single):
    raw = torch.randn(1, 4, requires_grad=True)
    targets = task(single).targets([scene((), words("sea", vocabulary=["sea", "sky"]), boxed=False)])
    tag_loss(raw, targets["wanted"], targets["known"], single=single).total.backward()
    assert raw.grad[0, :2].tolist() == [0, 0]
    assert raw.grad[0, 2] < 0 < raw.grad[0, 3]


@pytest.mark.parametrize("single", [False, True])
def test_no_photograph_gives_no_loss_and_a_sound_gradient(single):
    head = task(single)
    loss = head.loss(head(maps(0)), head.targets([]))
    loss.total.backward()
    assert loss.total.item() == loss.parts["tags"].item() == 0
    assert all(torch.isfinite(p.grad).all() for p in head.parameters() if p.grad is not None)


@pytest.mark.parametrize("uses", [{}, {"reduction": True}], ids=["plain", "reduced"])
@pytest.mark.parametrize("single", [False, True])
def test_it_learns_four_photographs(single, uses):
    torch.manual_seed(0)
    head, levels = task(single, **uses), maps(4)
    labels = [words(name) for name in NAMES] if single else [words("cat"), words("cat", "dog"), words(), words(*NAMES)]
    targets = head.targets([scene((), label, boxed=False) for label in labels])
    optimiser = torch.optim.AdamW(head.parameters(), 0.01)
    for _ in range(60):
        optimiser.zero_grad()
        loss = head.loss(head(levels), targets)
        loss.total.backward()
        optimiser.step()
    assert loss.parts["tags"] < 0.1
    assert ((head.decode(head(levels))["tags"] > 0.5) == (targets["wanted"] > 0)).all()


def test_the_answer_is_sorted():
    head = task()
    answer = head.answer({"tags": torch.tensor([0.1, 0.9, 0.6, 0.1])}, SIGHT)
    assert answer.names == ("dog", "sea", "cat", "sky")
    assert answer.scores.tolist() == pytest.approx([0.9, 0.6, 0.1, 0.1])
    assert not answer.single
    assert isinstance(answer, Tags)


@pytest.mark.slow
def test_it_learns_real_photographs_from_a_frozen_trunk(data_root):
    """96 photographs are few; still what is learnt must be true of 48 others, well above the rate of positives."""
    everyday = read(data_root / "everyday", "dev")
    samples, trunk = everyday.samples[:144], load().network.eval().trunk
    pixels = np.stack([letterbox(load_image(one.path), 224)[0] for one in samples])
    with torch.no_grad():
        levels = trunk(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255)
    torch.manual_seed(0)
    head = task(names=everyday.classes, pyramid=replace(PYRAMID, channels=tuple(level.shape[1] for level in levels)))
    targets = head.targets([scene(one.classes) for one in samples])
    optimiser = torch.optim.AdamW(head.parameters(), 3e-3)
    for _ in range(60):
        optimiser.zero_grad()
        loss = head.loss(head([level[:96] for level in levels]), {name: rows[:96] for name, rows in targets.items()})
        loss.total.backward()
        optimiser.step()
    scores = head.decode(head([level[96:] for level in levels]))["tags"].detach().numpy()
    wanted = targets["wanted"][96:].numpy() > 0
    found = [
        (average_precision(scores[:, i], wanted[:, i]), wanted[:, i].mean()) for i in range(80) if wanted[:, i].any()
    ]
    precision, chance = np.mean(found, axis=0)
    assert precision > 2 * chance
