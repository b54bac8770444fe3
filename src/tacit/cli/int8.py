"""What `tacit export --precision int8` has more than the others: photographs to calibrate on, and what it costs."""

from __future__ import annotations

from pathlib import Path

from tacit.api import Model, load
from tacit.cli.screen import counted, progress, say, show_table, warn_of
from tacit.errors import ConfigError, DataError
from tacit.runtime.calibration import Calibration, calibration
from tacit.runtime.comparison import changes, scored_dataset


def calibrating(model: Model, data: Path | None, count: int) -> Calibration:
    """`count` photographs of `data`, ready for the network. Raises ConfigError and DataError where there are none."""
    if data is None:
        raise ConfigError("int8 is calibrated on photographs", fix="--data FOLDER names some that the model will see")
    if count < 1:
        raise ConfigError(f"--photographs is {count}", allowed="whole numbers from 1")
    chosen = calibration(model.stages(), data, count)
    warn_of(chosen.faults)
    say(f"calibrating on {counted(len(chosen.paths), 'photograph')} of {data}")
    return chosen


def show_cost(model: Model, path: Path, data: Path) -> None:
    """A table of the main figures of `model` and of what was written to `path`, where `data` labels what they need."""
    stages, small = model.stages(), load(path).engine
    assert small is not None
    dataset = scored_dataset(stages, data)
    if dataset is None:
        say(f"{data} is no dataset with a split to score on, so what int8 costs is not known")
        return
    try:
        with progress(2 * len(dataset.samples), "photographs") as advance:
            rows = [change.row() for change in changes(stages, small, dataset, advance)]
    except DataError as error:
        say(f"what int8 costs is not known: {error.wrong}")
        return
    scored = f"{counted(len(dataset.samples), 'photograph')} of {dataset.split}"
    show_table(f"before and after, on {scored}", ("figure", "fp32", "int8", "change"), rows)
