"""The caption task: its plan, what the labels ask for, its loss, what it writes, and its knowledge folded away."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from tacit.data.captions import CaptionLabels
from tacit.data.sample import Dataset, Sample, Scene
from tacit.errors import DataError, WeightsError
from tacit.geometry.letterbox import plan_letterbox
from tacit.nn.fold import fold
from tacit.nn.knowledge import Knowledge
from tacit.tasks.caption.head import NOTHING, Captioning
from tacit.tasks.caption.words import END, SPECIAL, UNKNOWN
from tacit.tasks.task import Pyramid, Sight
from tacit.thresholds import Thresholds

ANCHOR = ((8, 8),)
PYRAMID = Pyramid((6, 8), (8, 16), (ANCHOR, ANCHOR))
PLAN = {"words": ["a", "dog", "cat", "runs", "sleeps"], "length": 5, "width": 32, "layers": 2}


def task(**changes):
    torch.manual_seed(0)
    return Captioning.build(PYRAMID, {**PLAN, **changes}).eval()


def maps(images=2, height=4, width=6):
    torch.manual_seed(1)
    return [torch.randn(images, 6, 2 * height, 2 * width), torch.randn(images, 8, height, width)]


def scene(*captions):
    labels = {CaptionLabels: CaptionLabels(captions)} if captions else {}
    return Scene(np.zeros((8, 8, 3), np.uint8), np.zeros((0, 4), np.float32), np.zeros(0, np.int64), labels)


def test_shapes():
    captioning = task()
    (memory,) = captioning(maps())
    assert memory.shape == (2, 2 * 3, 32)
    decoded = captioning.decode([memory])
    assert decoded["tokens"].shape == (2, 5)
    assert decoded["chances"].shape == (2,)
    assert ((decoded["chances"] > 0) & (decoded["chances"] <= 1)).all()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 5)])
def test_odd_sizes_lose_nothing(height, width):
    (memory,) = task()(maps(1, height, width))
    assert memory.shape == (1, (height + 1) // 2 * ((width + 1) // 2), 32)
    pyramid = maps(1, height, width)
    pyramid[1][..., -1, -1] += 1
    assert not torch.equal(task()(pyramid)[0][:, -1], memory[:, -1])


def test_targets_are_all_captions_with_their_ends():
    targets = task().targets([scene("A dog runs."), scene("a bird", "a cat sleeps and sleeps and sleeps", "собака")])
    assert targets["image"].tolist() == [0, 1, 1]  # the last one has no known word, so it teaches nothing
    assert targets["tokens"].tolist() == [
        [SPECIAL, SPECIAL + 1, SPECIAL + 3, END, NOTHING],
        [SPECIAL, UNKNOWN, END, NOTHING, NOTHING],
        [SPECIAL, SPECIAL + 2, SPECIAL + 4, UNKNOWN, SPECIAL + 4],  # cut at the length of the plan
    ]


def test_only_scenes_with_captions_teach():
    assert Captioning.labels(scene("a dog"))
    assert not Captioning.labels(scene())


@pytest.mark.parametrize(("images", "scenes"), [(0, []), (1, [scene("собака")])])
def test_nothing_to_learn_is_no_loss_and_no_nan(images, scenes):
    captioning = task().train()
    loss = captioning.loss(captioning(maps(images)), captioning.targets(scenes))
    loss.total.backward()
    assert loss.total.item() == 0
    assert all(torch.isfinite(p.grad).all() for p in captioning.parameters() if p.grad is not None)


def test_the_loss_is_a_mean_over_words_times_the_images():
    captioning, scenes = task(), [scene("a dog runs"), scene("a cat")]
    once = captioning.loss(captioning(maps()), captioning.targets(scenes))
    twice = captioning.loss(captioning([torch.cat([m, m]) for m in maps()]), captioning.targets(scenes * 2))
    torch.testing.assert_close(once.total, 2 * once.parts["words"])
    torch.testing.assert_close(twice.total, 2 * once.total)


def test_unknown_words_are_never_asked_for():
    captioning = task()
    raw, targets = captioning(maps(1)), captioning.targets([scene("a zebra")])
    captioning.decoder.bias.data[UNKNOWN] = 50.0  # no word is likely any more, so asking for "unknown" would be cheap
    assert captioning.loss(raw, targets).total > 10


def test_every_parameter_gets_a_gradient():
    captioning = task().train()
    captioning.loss(captioning(maps()), captioning.targets([scene("a dog runs"), scene("a cat")])).total.backward()
    assert not [name for name, p in captioning.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]


def test_writing_is_what_reading_its_own_words_says():
    """The steps with remembered keys and values are the same as the whole sentence at once."""
    captioning = task(length=8)
    (memory,) = captioning(maps())
    tokens, _ = captioning.decoder.write(memory)
    before = torch.cat([torch.zeros(2, 1, dtype=torch.long), tokens[:, :-1]], dim=1)
    scores = captioning.decoder(memory, before, torch.arange(2))
    scores[..., [0, UNKNOWN]] = -torch.inf
    said = scores.argmax(-1)
    for row, expected in zip(tokens.tolist(), said.tolist(), strict=True):
        stop = row.index(END) + 1 if END in row else len(row)
        assert row[:stop] == expected[:stop]
        assert set(row[stop:]) <= {END}


def test_no_word_looks_ahead():
    captioning = task()
    (memory,), image = captioning(maps(1)), torch.zeros(1, dtype=torch.long)
    short = captioning.decoder(memory, torch.tensor([[0, 3, 4]]), image)
    other = captioning.decoder(memory, torch.tensor([[0, 3, 5]]), image)
    torch.testing.assert_close(short[:, :2], other[:, :2])
    assert not torch.allclose(short[:, 2], other[:, 2])


def test_it_learns_which_photograph_shows_what():
    captioning, scenes = task().train(), [scene("a dog runs"), scene("a cat sleeps")]
    pyramid, targets = maps(), captioning.targets(scenes)
    optimiser = torch.optim.AdamW(captioning.parameters(), 0.01)
    for _ in range(40):
        optimiser.zero_grad()
        captioning.loss(captioning(pyramid), targets).total.backward()
        optimiser.step()
    captioning.eval()
    with torch.no_grad():
        decoded = captioning.decode(captioning(pyramid))
    sight = Sight(plan_letterbox((30, 40), 64), Thresholds(), {})
    rows = [{name: values[i] for name, values in decoded.items()} for i in range(2)]
    answers = [captioning.answer(row, sight) for row in rows]
    assert [answer.text for answer in answers] == ["A dog runs.", "A cat sleeps."]
    assert all(0.5 < answer.score <= 1 for answer in answers)


@pytest.mark.parametrize("alignment", ["none", "add", "multiply", "concat"])
@torch.no_grad()
def test_knowledge_folds_away(alignment):
    captioning = task(knowledge={"alignment": alignment, "selection": True})
    folded = fold(captioning)
    assert not [module for module in folded.modules() if isinstance(module, Knowledge)]
    torch.testing.assert_close(folded(maps())[0], captioning(maps())[0], rtol=1e-5, atol=1e-5)


def dataset(*captions):
    return Dataset(Path("here"), "COCO", "train", (), (), tuple(map(sample, captions)), ())


def sample(captions):
    none = np.zeros(0, np.float32)
    labels = {CaptionLabels: CaptionLabels(captions)} if captions else {}
    photo = Path("a.jpg")
    return Sample(photo, 8, 8, 0, none.reshape(0, 4), none.astype(np.int64), none.astype(bool), none, labels)


def test_the_plan_holds_the_frequent_words(monkeypatch):
    monkeypatch.setattr("tacit.tasks.caption.head.FEW", 2)
    often = dataset(*[("A dog runs.",)] * 4, ("a bird",), ())
    plan = Captioning.plan_for([often])
    assert plan == {"words": ["a", "dog", "runs"], "length": 4, "width": 128, "layers": 2}
    assert len(Captioning.build(PYRAMID, plan).words) == SPECIAL + 3


def test_a_small_dataset_gives_all_its_words():
    assert Captioning.plan_for([dataset(("a dog runs",))])["words"] == ["a", "dog", "runs"]


def test_captions_without_a_word_are_an_error():
    with pytest.raises(DataError, match="no words"):
        Captioning.plan_for([dataset(("!!!", "🐶"))])


@pytest.mark.parametrize(
    "changes",
    [
        {"words": None}, {"words": ["a", "a"]}, {"length": 1}, {"length": 65}, {"length": 5.0}, {"length": True},
        {"width": 33}, {"width": 0}, {"width": 10_016}, {"layers": 0}, {"layers": "2"}, {"layers": 9},
        {"knowledge": {"clusters": True}}, {"knowledge": {"alignment": "magic"}},
    ],
)  # fmt: skip
def test_a_plan_that_is_none_is_refused(changes):
    with pytest.raises(WeightsError):
        task(**changes)


def test_the_plan_is_what_was_given():
    assert copy.deepcopy(task().plan) == PLAN
