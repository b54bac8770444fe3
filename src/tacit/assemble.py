"""The trunk of a network under other tasks."""

from __future__ import annotations

from collections.abc import Mapping

from tacit.network import Network
from tacit.tasks.detect.head import Detect
from tacit.tasks.known import kind_of
from tacit.tasks.task import Plan, Pyramid, Task


def with_tasks(network: Network, plans: Mapping[str, Plan]) -> Network:
    """The trunk of `network` under other tasks, each built from its plan, which may name its kind as "task".

    Raises ConfigError for a task that nobody knows, WeightsError for a plan that is none.
    """
    detect = network.task("detect")
    assert isinstance(detect, Detect)
    base = Pyramid(detect.channels, detect.strides, detect.anchor_sizes)
    tasks = dict[str, Task]()
    for name, plan in plans.items():
        if name == detect.name and "knowledge" not in plan:
            detect.plan = plan
            tasks[name] = detect  # as the model has it by itself
        else:
            tasks[name] = kind_of(str(plan.get("task", name))).build(base, plan)
    return Network(network.trunk, tasks, network.stride)
