"""Many files through the stages: order, faults by name, and no more in memory than two batches."""

import threading

import numpy as np
import pytest
from PIL import Image

from tacit.data.sample import Fault
from tacit.predict import pipeline
from tacit.predict.pipeline import predict_files
from tacit.results import Result
from tacit.stages import Stages


class Echo(Stages):
    """Stages that answer each picture with one box of its size, and remember how they were called."""

    def __init__(self):
        self.batches = []

    def __call__(self, images):
        self.batches.append(len(images))
        return [
            Result(
                boxes=np.array([[0, 0, image.shape[1], image.shape[0]]], np.float32),
                scores=np.ones(1, np.float32),
                classes=np.zeros(1, np.int64),
                names=("thing",),
                width=image.shape[1],
                height=image.shape[0],
                image=image,
            )
            for image in images
        ]


@pytest.fixture
def echo():
    return Echo()


@pytest.fixture
def folder(tmp_path):
    for i in range(7):
        Image.new("RGB", (20 + i, 10)).save(tmp_path / f"{i}.png")
    return tmp_path


@pytest.mark.parametrize("batch", [1, 3, 7, 50])
def test_every_path_is_answered_in_order(echo, folder, batch):
    paths = sorted(folder.iterdir())
    results = list(predict_files(echo, paths, batch))
    assert [result.path for result in results] == paths
    assert [result.width for result in results] == [20 + i for i in range(7)]
    assert max(echo.batches) == min(batch, 7)


def test_a_fault_stands_in_its_place_and_the_others_are_done(echo, folder):
    (folder / "3.png").write_bytes((folder / "3.png").read_bytes()[:40])
    answers = list(predict_files(echo, [*sorted(folder.iterdir()), folder / "gone.jpg"], 3))
    assert [type(answer) for answer in answers] == [Result] * 3 + [Fault] + [Result] * 3 + [Fault]
    assert answers[3].where == str(folder / "3.png")
    assert answers[3].lost == "image"
    assert str(answers[7]) == f"{folder / 'gone.jpg'}: is not there"


def test_a_batch_of_faults_alone_asks_nothing_of_the_network(echo, tmp_path):
    answers = list(predict_files(echo, [tmp_path / "a.jpg", tmp_path / "b.jpg"], 2))
    assert all(isinstance(answer, Fault) for answer in answers)
    assert sum(echo.batches) == 0


def test_no_paths_no_answers(echo):
    assert list(predict_files(echo, [], 4)) == []


def test_reads_no_further_ahead_than_one_batch(echo, folder, monkeypatch):
    read = []
    load = pipeline.load_image
    monkeypatch.setattr(pipeline, "load_image", lambda path: (read.append(path), load(path))[1])
    answers = predict_files(echo, sorted(folder.iterdir()), 2)
    next(answers)
    assert len(read) <= 4
    answers.close()


def test_closing_early_ends_the_reading_threads(echo, folder):
    before = threading.active_count()
    answers = predict_files(echo, sorted(folder.iterdir()), 2)
    next(answers)
    answers.close()
    assert threading.active_count() == before
