"""Knowledge files: one task taught to a frozen trunk. A small safetensors file in which nothing can run.

Notable features
- It holds the task's own tensors alone, in 16 bits, and fits the one trunk whose hash it names.
- Whatever it claims has to fit into MOST bytes, and to the tensors in it, before memory is taken for it.
- Networks share the trunk and the tasks they have in common: what knowledge joins answers to the bit as before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from tacit.atomic import replacing
from tacit.errors import ConfigError, WeightsError
from tacit.network import Network
from tacit.nn.blank import Blank
from tacit.results import DETECT
from tacit.tasks.known import KNOWN
from tacit.tasks.task import Plan, Task
from tacit.weights.files import Weights, fit, read_tensors, require_fit, stored
from tacit.weights.knowledge_record import KnowledgeRecord, is_name
from tacit.weights.record import Record
from tacit.weights.structure import network_of

MOST = 1_000_000  # bytes of a file
KEY = "tacit knowledge"  # of the record among the file's metadata
OF_A_RESULT = ("path", "width", "height", "boxes")  # keys of a result as JSON, beside its tasks
SHOWN = 12  # letters of a hash


@dataclass(frozen=True, eq=False)
class Taught:
    """A task's tensors, in single precision, and what its file says of them."""

    record: KnowledgeRecord
    state: dict[str, Tensor]


def trunk_hash(trunk: nn.Module) -> str:
    """SHA-256 over names, shapes and values of all parameters and buffers, values in single precision: a trunk has the
    same on every device, and in a file of 16 bits as in memory.
    """
    digest = hashlib.sha256()
    for name, value in sorted(trunk.state_dict().items()):
        value = value.detach().cpu().to(torch.float32 if value.is_floating_point() else torch.int64).contiguous()
        digest.update(f"{name} {tuple(value.shape)}\n".encode())
        digest.update(value.numpy().astype(value.numpy().dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()


def new_task(record: Record, name: str, plan: Plan) -> Task:
    """A task with random weights for the trunk of the network that `record` describes; `plan` names its kind as "task".

    Raises ConfigError where that network lacks a task which this one needs, WeightsError for a plan that is none.
    """
    return network_of(replace(record, tasks={**record.plans(), name: dict(plan)})).task(name)


def check_name(network: Network, name: str, task: str) -> None:
    """Raises ConfigError unless a task of the kind `task` can join the network under that name."""
    if name in network.tasks:
        fix = f"another name, or remove that task first: model.remove({name!r})"
        raise ConfigError(f"the network has a task {name!r} already", fix=fix)
    taken = (name in KNOWN and name != task) or name in OF_A_RESULT or hasattr(nn.ModuleDict(), name)
    if not is_name(name) or taken:
        raise ConfigError(
            f"a task of the kind {task!r} cannot be called {name[:80]!r}",
            allowed="a letter, then letters, digits, - and _; no word that has a meaning, such as boxes",
        )
    if task == DETECT and name != DETECT:
        raise ConfigError(f"the boxes of a result are those of one task, {DETECT!r}", fix="remove that one first")


def write(taught: Taught, path: Path) -> int:
    """Write the file, atomically; its size in bytes. Raises WeightsError for one above MOST, OSError."""
    content = to_bytes(halved(taught.state), metadata={KEY: taught.record.to_json()})
    if len(content) > MOST:
        raise too_large(taught.record.task, taught.record.model, len(content))
    with replacing(path) as file:
        file.write(content)
    return len(content)


def halved(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """As the file holds it: in 16 bits, where these reach that far."""
    halves = {name: stored(value, half=True) for name, value in state.items()}
    return {n: half if half.isfinite().all() else stored(state[n], half=False) for n, half in halves.items()}


def too_large(task: str, model: str, size: int) -> WeightsError:
    """What to say of knowledge that would fill a file of `size` bytes."""
    return WeightsError(
        f"{task!r} on the trunk of {model!r} would make a knowledge file of {size:,} bytes",
        allowed=f"at most {MOST:,}",
        fix="teach fewer classes, or a smaller model; `tacit train --learn` teaches a task of any size",
    )


def is_knowledge(path: Path) -> bool:
    """Whether the file is one, sound or not; anything else is not, whatever it may be."""
    if not path.is_file() or path.stat().st_size > MOST:
        return False
    try:
        return KEY in read_tensors(path)[0]
    except WeightsError:
        return False


def read(path: Path) -> Taught:
    """What is in a knowledge file. Raises WeightsError for one that is missing, damaged, too large, or none."""
    if not path.is_file():
        raise WeightsError(f"there is no knowledge file at {path}", fix="check the path")
    if path.stat().st_size > MOST:
        raise WeightsError(f"{path} has {path.stat().st_size:,} bytes", allowed=f"knowledge files of at most {MOST:,}")
    metadata, state = read_tensors(path)
    if KEY not in metadata:
        raise WeightsError(f"{path} is no knowledge file", allowed="files that tacit teach has written")
    record = KnowledgeRecord.from_json(metadata[KEY])
    if not all(value.isfinite().all() for value in state.values()):
        raise WeightsError(f"{path} is damaged: it holds values that are no numbers")
    return Taught(record, state)


def joined(weights: Weights, path: Path) -> Weights:
    """The network with the task in the file at `path` beside its own, in evaluation mode; all but that task is shared.

    Raises WeightsError for a file that is unsound or was taught to another trunk, ConfigError for a name that is taken
    or a task that needs one the network lacks.
    """
    taught = read(path)
    record, plan = taught.record, {**taught.record.plan, "task": taught.record.task}
    check_name(weights.network, record.name, record.task)
    own = trunk_hash(weights.network.trunk)
    if record.trunk != own:
        raise WeightsError(
            f"{path} was taught to the trunk {record.trunk[:SHOWN]} of {record.model[:80]!r}, "
            f"and this one is {own[:SHOWN]} of {weights.record.model!r}",
            allowed="the very weights it was taught to",
            fix="load those, or teach it anew to these",
        )
    with torch.device("meta"), Blank():
        require_fit(new_task(weights.record, record.name, plan), taught.state, path)
    with Blank():
        task = new_task(weights.record, record.name, plan)
    fit(task, taught.state, path)
    device = next(weights.network.trunk.parameters()).device
    return _with(weights, {**_tasks(weights.network), record.name: task.to(device)}, {record.name: plan})


def left(weights: Weights, name: str) -> Weights:
    """The network without the task of that name. Raises ConfigError where there is none, where others need it, or where
    it is the last.
    """
    weights.network.task(name)
    tasks = {other: task for other, task in _tasks(weights.network).items() if other != name}
    if not tasks:
        raise ConfigError(f"without {name!r} the network would answer nothing", allowed="one task or more")
    return _with(weights, tasks, {})


def _with(weights: Weights, tasks: dict[str, Task], plans: dict[str, Plan]) -> Weights:
    network = Network(weights.network.trunk, tasks, weights.network.stride).eval()
    plans = {**weights.record.plans(), **plans}
    return Weights(network, replace(weights.record, tasks={name: dict(plans[name]) for name in network.tasks}))


def _tasks(network: Network) -> dict[str, Task]:
    return {name: network.task(name) for name in network.tasks}
