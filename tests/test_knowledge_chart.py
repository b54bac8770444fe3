"""What tasks know before they look: the drawn constants are the weights' own, and what is skipped is the knowledge."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from trained import look_trained

from tacit.assemble import with_tasks
from tacit.errors import ConfigError
from tacit.knowledge_chart import plane, prediction_figure, samples, save_knowledge, task_figure
from tacit.knowledge_view import alignments_of, constants_of, gap
from tacit.network import Network
from tacit.nn.uses import Uses
from tacit.tasks.bend import uses_to_json
from tacit.weights.files import bundled, load
from tacit.zoo import create

PLANS = {"detect": {"classes": ["cat", "dog"]}, "segment": {}, "tags": {"names": ["cat", "dog"]}, "embed": {}}
IMAGES = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    network = look_trained(with_tasks(create("debug", 2), PLANS))
    assert isinstance(network, Network)
    return network


def lengths(axes) -> np.ndarray:
    """What the bars of a panel reach, from left to right."""
    bars = [segment for lines in axes.collections for segment in lines.get_segments()]
    return np.array([end[1] for _, end in sorted(bars, key=lambda bar: bar[0][0])])


def test_constants_are_told_by_task_and_side(network: Network) -> None:
    found = {(one.task, one.place): one for one in constants_of(network)}
    assert {task for task, _ in found} == set(PLANS)
    first = found["detect", "heads.0.add"]
    assert first.ahead
    assert not found["detect", "heads.0.multiply"].ahead
    assert np.array_equal(first.values, network.state_dict()["tasks.detect.heads.0.add.knowledge.z"].flatten())


def test_predictions_are_drawn_as_they_are(network: Network) -> None:
    figure = prediction_figure(network)
    assert figure is not None
    for level, axes in enumerate(figure.axes):
        learned = network.state_dict()[f"tasks.detect.heads.{level}.multiply.knowledge.z"].flatten()
        assert np.allclose(lengths(axes), learned)
        assert [line.get_label() for line in axes.collections] == ["x, y", "w, h", "objectness", "classes"]


def test_tasks_have_a_row_each(network: Network) -> None:
    constants = constants_of(network)
    figure = task_figure(constants)
    assert [axes.get_ylabel() for axes in figure.axes[::2]] == list(PLANS)
    for axes, task in zip(figure.axes[1::2], PLANS, strict=True):
        own = [one.values - one.combine.neutral for one in constants if one.task == task and not one.ahead]
        assert np.allclose(lengths(axes), np.concatenate(own))


def test_bent_is_the_answer_and_without_is_the_answer_for_no_knowledge(network: Network) -> None:
    one = next(one for one in alignments_of(network, IMAGES) if (one.task, one.place) == ("embed", "heads"))
    assert one.strides == (8, 16, 32)
    raw = network(IMAGES)["embed"]
    assert np.allclose(one.bent[0], raw[0].detach().movedim(1, -1).flatten(0, 2), atol=1e-6)
    neutral = {name: torch.zeros_like(z) for name, z in network.state_dict().items() if ".align." in name}
    plain = torch.func.functional_call(network, neutral, (IMAGES,))["embed"]
    assert np.allclose(one.without[2], plain[2].detach().movedim(1, -1).flatten(0, 2), atol=1e-6)


def test_detection_is_told_by_its_means(network: Network) -> None:
    one = next(one for one in alignments_of(network, IMAGES) if one.task == "detect")
    raw: Tensor = network(IMAGES)["detect"][1].detach()  # b, anchors, h, w, values
    wanted = torch.stack([raw[..., 4].mean(1), raw[..., 5:].mean((1, 4))], dim=-1).flatten(0, 2)
    assert np.allclose(one.bent[1], wanted, atol=1e-5)
    assert np.array_equal(plane(one), np.eye(2))


def test_gap() -> None:
    """Means at -3 and 3 (root mean square 3), cells one left and right of them (1)."""
    far = np.array([[-4.0], [-2.0]], np.float32), np.array([[2.0], [4.0]], np.float32)
    assert gap(far) == pytest.approx(3)
    assert gap((far[0], far[0])) == 0


@pytest.mark.parametrize("other", [{"alignment": "concat"}, {"clusters": True}, {"alignment": "none"}])
def test_what_cannot_be_skipped_is_not_shown(other: dict) -> None:
    knowledge = {**uses_to_json(Uses()), **other}
    odd = with_tasks(create("debug", 2), {"detect": {"classes": ["cat", "dog"], "knowledge": knowledge}})
    assert alignments_of(odd, IMAGES) == []
    assert prediction_figure(odd) is not None


def test_files_are_written(network: Network, tmp_path) -> None:
    paths = save_knowledge(network, 64, tmp_path / "new")
    assert [path.name for path in paths] == [f"knowledge-{name}.png" for name in ("detect", "tasks", "alignment")]
    for path in paths:
        with Image.open(path) as picture:
            assert picture.format == "PNG"
            assert len(picture.convert("RGB").getcolors(1 << 24)) > 50


def test_a_folded_network_has_nothing_to_draw(network: Network, tmp_path) -> None:
    with pytest.raises(ConfigError, match="no knowledge"):
        save_knowledge(network.fold(), 64, tmp_path)


@pytest.fixture(scope="module")
def bundled_network() -> Network:
    path = bundled("nano")
    assert path is not None
    return load(path).network


def test_what_the_page_says_of_the_bundled_alignment(bundled_network: Network) -> None:
    one = next(one for one in alignments_of(bundled_network, samples(416)) if one.task == "detect")
    assert gap(one.bent) < 0.6 * gap(one.without)
    scores = [cells[:, 1].mean() for cells in one.without]
    bent = [cells[:, 1].mean() for cells in one.bent]
    assert scores[2] - scores[0] > 3
    assert max(bent) - min(bent) < 1


def test_what_the_page_says_of_the_bundled_refinement(bundled_network: Network) -> None:
    behind = [one.values for one in constants_of(bundled_network) if one.task == "detect" and not one.ahead]
    anchors = np.concatenate(behind).reshape(9, 85)
    assert (anchors[:, :4] < 1).all()
    assert (np.abs(anchors[:, 4] - 1) < 1 - anchors[:, :4].mean(1)).all()  # objectness
    assert (anchors[:, 5] < 1).all()  # person
    assert (anchors[:, 6:] > 1).mean() > 0.8
