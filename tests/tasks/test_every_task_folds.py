"""A network of all seven tasks folds: the same answers, with neither batch norm nor knowledge left."""

import pytest
import torch
from seven import PLANS
from torch import nn
from trained import look_trained

from tacit import zoo
from tacit.assemble import with_tasks
from tacit.network import Network
from tacit.nn.fold import fold
from tacit.nn.knowledge import Knowledge
from tacit.nn.uses import Modelling, Operator, Uses
from tacit.tasks.bend import uses_to_json
from tacit.tasks.known import KNOWN, kind_of

ALL_OF_IT = Uses(
    alignment=Operator.CONCAT,
    refinement=Operator.ADD,
    selection=True,
    reduction=True,
    modelling=Modelling.FACTORISATION,
)


def network_with(uses: Uses) -> Network:
    torch.manual_seed(0)
    plans = {name: {**plan, "knowledge": uses_to_json(kind_of(name).uses(uses))} for name, plan in PLANS.items()}
    network = with_tasks(zoo.create("debug", 2), plans)
    assert list(network.tasks) == list(KNOWN)
    return look_trained(network)


@pytest.mark.parametrize("uses", [Uses(), ALL_OF_IT, Uses(clusters=True, offsets=True, sizes=True)])
def test_value_the_same_answers(uses: Uses) -> None:
    network = network_with(uses)
    assert any(isinstance(part, Knowledge) for task in network.tasks.values() for part in task.modules())
    folded = fold(network)
    assert not any(isinstance(part, nn.BatchNorm2d | Knowledge) for part in folded.modules())
    images = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        ours, theirs = (one.decode(one(images)) for one in (network, folded))
    assert list(ours) == list(theirs) == list(KNOWN)
    for task, parts in ours.items():
        for name, value in parts.items():
            torch.testing.assert_close(theirs[task][name], value, rtol=1e-4, atol=1e-4, msg=f"{task} {name}")


def test_value_every_task_has_knowledge_of_its_own() -> None:
    """No z is shared, and each bends its own task alone."""
    network = network_with(Uses())
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        before = network(images)
        for name in KNOWN:
            for part in network.task(name).modules():
                if isinstance(part, Knowledge):
                    for parameter in part.parameters():
                        parameter.add_(0.5)
            after = network(images)
            changed = {task for task in KNOWN if not all(map(torch.equal, before[task], after[task]))}
            assert changed == {name}
            before = after
