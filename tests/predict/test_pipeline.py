"""Many files through the stages: order, faults by name, shared passes, and never more in memory than a few batches."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pytest
import torch
from PIL import Image
from test_stages import WhiteRectangle, rectangle
from torch import nn

import tacit
from tacit.data.images import load_image, load_reduced
from tacit.data.sample import Fault
from tacit.network import Network
from tacit.predict import pipeline
from tacit.predict.pipeline import PATIENCE, batch_for, predict_files
from tacit.results import Result
from tacit.runtime.torch_engine import TorchEngine
from tacit.stages import Stages


class Counting(TorchEngine):
    """Finds the white rectangle, and remembers what it was given."""

    device = torch.device("cpu")

    def __init__(self, network):
        super().__init__(network)
        self.shapes = []

    def __call__(self, batch):
        self.shapes.append(tuple(batch.shape))
        return self.network.decode(self.network(batch))


@pytest.fixture
def finder():
    network = Network(nn.Identity(), {"detect": WhiteRectangle()}, stride=32)
    return Stages(network, names=("rectangle",), size=128, engine=Counting(network))


def save(folder, number, width, height, suffix=".png"):
    """A photograph with a white rectangle that begins at a tenth and ends at the middle."""
    path = folder / f"{number:03}{suffix}"
    box = (width // 10, height // 10, width // 2, height // 2)
    Image.fromarray(rectangle(width, height, *box)).save(path, quality=95)
    return path


@pytest.fixture
def lying(tmp_path):
    return [save(tmp_path, number, 160 + 10 * number, 120) for number in range(7)]


@pytest.mark.parametrize("batch", [1, 3, 7, 50, None])
def test_every_path_is_answered_in_order(finder, lying, batch):
    results = list(predict_files(finder, lying, batch))
    assert [result.path for result in results] == lying
    for number, result in enumerate(results):
        width = 160 + 10 * number
        assert (result.width, result.height) == (width, 120)
        assert result.boxes[0] == pytest.approx([width // 10, 12, width // 2, 60], abs=3)
        assert result.image.shape == (120, width, 3)


def test_answers_are_those_of_the_stages_themselves(finder, lying):
    for path, result in zip(lying, predict_files(finder, lying, 3), strict=True):
        (alone,) = finder([result.image])
        np.testing.assert_array_equal(result.boxes, alone.boxes)
        assert result.path == path


def test_photographs_of_one_shape_share_a_pass_though_others_stand_between(finder, tmp_path):
    sizes = [(160, 120), (120, 160)] * 6
    paths = [save(tmp_path, number, *size) for number, size in enumerate(sizes)]
    results = list(predict_files(finder, paths, 3))
    assert [(result.width, result.height) for result in results] == sizes
    assert sorted(finder.engine.shapes) == [(3, 3, 96, 128)] * 2 + [(3, 3, 128, 96)] * 2


def test_one_of_another_shape_does_not_wait_for_ever(finder, tmp_path, monkeypatch):
    read, batch = [], 2
    monkeypatch.setattr(pipeline, "load_reduced", lambda path, least: (read.append(path), load_reduced(path, least))[1])
    first, second = save(tmp_path, 0, 120, 160), save(tmp_path, 1, 160, 120)
    answers = predict_files(finder, [first, *[second] * 40], batch)
    assert next(answers).path == first
    assert len(read) <= max(PATIENCE, 2 * torch.get_num_threads()) * batch + 1 + 2 * batch + 1
    answers.close()


def test_a_fault_stands_in_its_place_and_the_others_are_done(finder, lying, tmp_path):
    lying[3].write_bytes(lying[3].read_bytes()[:40])
    answers = list(predict_files(finder, [*lying, tmp_path / "gone.jpg"], 3))
    assert [type(answer) for answer in answers] == [Result] * 3 + [Fault] + [Result] * 3 + [Fault]
    assert answers[3].where == str(lying[3])
    assert answers[3].lost == "image"
    assert str(answers[7]) == f"{tmp_path / 'gone.jpg'}: is not there"


def test_faults_alone_ask_nothing_of_the_network(finder, tmp_path):
    answers = list(predict_files(finder, [tmp_path / "a.jpg", tmp_path / "b.jpg"], 2))
    assert all(isinstance(answer, Fault) for answer in answers)
    assert finder.engine.shapes == []


def test_no_paths_no_answers(finder):
    assert list(predict_files(finder, [], 4)) == []


def test_closing_early_ends_the_threads(finder, lying):
    before = threading.active_count()
    answers = predict_files(finder, lying * 9, 2)
    next(answers)
    assert threading.active_count() > before
    answers.close()
    assert threading.active_count() == before


@pytest.mark.parametrize("stage", ["look", "result"])
def test_what_fails_in_a_stage_is_raised_and_ends_the_threads(finder, lying, stage, monkeypatch):
    def broken(*_):
        raise MemoryError("no more")

    monkeypatch.setattr(finder, stage, broken)
    before = threading.active_count()
    with pytest.raises(MemoryError, match="no more"):
        list(predict_files(finder, lying, 2))
    assert threading.active_count() == before


def test_a_large_jpeg_is_decoded_at_a_fraction_and_answered_in_its_own_pixels(finder, tmp_path):
    path = save(tmp_path, 0, 3000, 2000, ".jpg")
    (result,) = predict_files(finder, [path], 1)
    assert result.image is None
    assert (result.width, result.height) == (3000, 2000)
    (whole,) = finder([load_image(path)])
    assert result.boxes[0] == pytest.approx(whole.boxes[0], abs=3000 / 128)  # a pixel of the network's input
    drawn = result.draw()
    assert drawn.shape == (2000, 3000, 3)
    assert (drawn != np.asarray(Image.open(path))).any()


def test_memory_stays_flat(finder, tmp_path):
    """300 times a megabyte; files are links to one."""
    path = save(tmp_path, 0, 600, 600, ".bmp")
    paths = [tmp_path / f"link-{number}.bmp" for number in range(300)]
    for link in paths:
        link.symlink_to(path)
    process = psutil.Process(os.getpid())
    seen = [process.memory_info().rss for _ in predict_files(finder, paths, 4)]
    assert len(seen) == 300
    assert max(seen[150:]) - max(seen[:100]) < 40e6


@pytest.mark.parametrize(("size", "device", "batch"), [(640, "cpu", 8), (1600, "cpu", 1), (1600, "cuda", 8)])
def test_value_a_large_pass_of_a_cpu_takes_one_photograph(size, device, batch, monkeypatch):
    """4 GFLOPs at 640 pixels, 27 at 1600."""
    stages = tacit.create("nano", 2).stages(size=size)
    monkeypatch.setattr(TorchEngine, "device", torch.device(device))
    assert batch_for(stages) == batch


def test_value_each_pass_calculates_alone_and_other_threads_as_before(finder, lying, monkeypatch):
    threads, looked, usual = torch.get_num_threads(), set(), Counting.__call__

    def looking(engine, batch):
        looked.add(torch.get_num_threads())
        return usual(engine, batch)

    monkeypatch.setattr(Counting, "at_once", 3)
    monkeypatch.setattr(Counting, "__call__", looking)
    assert len(list(predict_files(finder, lying, 2))) == len(lying)
    assert looked == {1}
    with ThreadPoolExecutor(1) as later:
        assert later.submit(torch.get_num_threads).result() == threads == torch.get_num_threads()


def test_paths_may_come_one_by_one(finder, lying):
    """A source without an end is read only as far as its answers are taken."""

    def endless():
        while True:
            yield lying[0]

    answers = predict_files(finder, endless(), 2)
    assert [next(answers).path for _ in range(5)] == [lying[0]] * 5
    answers.close()
    with pytest.raises(StopIteration):
        next(answers)
