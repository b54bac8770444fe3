"""Batch norm over the whole batch: torch's own in one process, and the same numbers in two."""

from pathlib import Path

import pytest
import torch
from torch import distributed, multiprocessing, nn

from tacit.nn import batch_norm
from tacit.nn import processes as processes_module
from tacit.nn.batch_norm import BatchNorm
from tacit.nn.processes import processes, sum_over_processes

WORLD = 2


def material() -> tuple[torch.Tensor, torch.Tensor]:
    """A batch (4, 3, 5, 6) whose halves differ in mean and spread, and the weights of a loss over its answers."""
    generator = torch.Generator().manual_seed(0)
    batch = torch.randn(4, 3, 5, 6, generator=generator)
    batch[2:] = batch[2:] * 3 + 1
    return batch, torch.randn(batch.shape, generator=generator)


def step(norm: nn.BatchNorm2d, batch: torch.Tensor, wanted: torch.Tensor) -> dict[str, torch.Tensor]:
    """One pass through `norm` and back: the answer, the gradients and the running statistics."""
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([0.5, 1, 2]))
        norm.bias.copy_(torch.tensor([-1.0, 0, 1]))
    batch = batch.clone().requires_grad_()
    answer = norm(batch)
    (answer * wanted).sum().backward()
    gradients = {"input": batch.grad, "weight": norm.weight.grad, "bias": norm.bias.grad}
    return {"answer": answer.detach(), **gradients, **dict(norm.named_buffers())}


def share(rank: int, folder: Path) -> None:
    """What one of the processes does."""
    meeting = f"file://{folder / 'meeting'}"
    distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=WORLD)
    mine = slice(2 * rank, 2 * rank + 2)
    batch, wanted = material()
    found = step(BatchNorm(3, momentum=0.1), batch[mine], wanted[mine])
    total = sum_over_processes(torch.tensor([1.0, rank]))
    torch.save({**found, "processes": processes(), "total": total}, folder / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_equal_one_batch(tmp_path: Path) -> None:
    multiprocessing.spawn(share, (tmp_path,), nprocs=WORLD)
    shares = [torch.load(tmp_path / f"{rank}.pt") for rank in range(WORLD)]
    whole = step(nn.BatchNorm2d(3, momentum=0.1), *material())
    for name in ("answer", "input"):
        together = torch.cat([each[name] for each in shares])
        torch.testing.assert_close(together, whole[name], rtol=1e-5, atol=1e-5)
    for name in ("weight", "bias"):
        torch.testing.assert_close(shares[0][name] + shares[1][name], whole[name], rtol=1e-5, atol=1e-4)
    for each in shares:
        for name in ("running_mean", "running_var", "num_batches_tracked"):
            torch.testing.assert_close(each[name], whole[name], rtol=1e-5, atol=1e-5)
        assert each["processes"] == WORLD
        assert each["total"].tolist() == [2, 1]


def test_one_process_equals_torch() -> None:
    ours, theirs = (step(kind(3, eps=1e-3, momentum=0.2), *material()) for kind in (BatchNorm, nn.BatchNorm2d))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_one_process_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes_module, "all_reduce", None)
    values = torch.ones(3)
    assert processes() == 1
    assert sum_over_processes(values) is values
    step(BatchNorm(3), *material())


def test_evaluation_never_asks_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_norm, "processes", lambda: WORLD)
    monkeypatch.setattr(processes_module, "all_reduce", None)
    batch, _ = material()
    norm = BatchNorm(3).eval()
    torch.testing.assert_close(norm(batch), batch, rtol=1e-4, atol=1e-4)
