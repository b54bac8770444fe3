"""ONNX files that cannot be trusted: a description of a calculation, and nothing that reaches beyond it.

The format knows weights in other files, operators of libraries to be loaded, and functions; a model of ours has none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tacit.errors import WeightsError
from tacit.runtime.onnx_export import passport_in, require_onnx
from tacit.runtime.passport import Passport

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto

MOST = 2**31 - 1  # bytes: what the format itself can hold in one file
STANDARD = ("", "ai.onnx")  # names of the domain of the standard's operators


def read_onnx(path: Path) -> tuple[bytes, Passport]:
    """A model for `OnnxEngine`, without the outputs that its tasks do not need, and its passport.

    Raises WeightsError for a file that is damaged, not ours, or wants more than its own content; ConfigError where the
    extra `onnx` is missing.
    """
    require_onnx()
    if path.stat().st_size > MOST:
        raise WeightsError(f"{path} has {path.stat().st_size:,} bytes", allowed=f"at most {MOST:,}")
    model = _parsed(path)
    passport = passport_in(model)
    _check(model, path)
    return pruned(model, passport.outputs).SerializeToString(), passport


def pruned(model: ModelProto, outputs: Collection[str]) -> ModelProto:
    """The model with these outputs alone; what only others need is then left out by whoever runs it."""
    kept = [output for output in model.graph.output if output.name in outputs]
    del model.graph.output[:]
    model.graph.output.extend(kept)
    return model


def _parsed(path: Path) -> ModelProto:
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        model = onnx.load_from_string(path.read_bytes())
    except DecodeError as error:
        raise WeightsError(f"{path} cannot be read as an ONNX model", allowed="files of tacit export") from error
    if not model.graph.node:
        raise WeightsError(f"{path} is an ONNX model without a graph", allowed="files of tacit export")
    return model


def _check(model: ModelProto, path: Path) -> None:
    foreign = {node.domain for node in _nodes(model.graph)} - set(STANDARD)
    if foreign or model.functions:
        what = ", ".join(sorted(foreign))[:80] or "functions of its own"
        raise WeightsError(f"{path} needs operators beyond the standard: {what}", allowed="those of ONNX itself")
    outside = next((tensor for tensor in _tensors(model.graph) if tensor.data_location == tensor.EXTERNAL), None)
    if outside is not None:
        raise WeightsError(f"{path} wants to read its weights from another file", allowed="models in one file")


def _nodes(graph: GraphProto) -> Iterator[NodeProto]:
    for node in graph.node:
        yield node
        for inner in _graphs(node):
            yield from _nodes(inner)


def _graphs(node: NodeProto) -> Iterator[GraphProto]:
    """Of loops and branches."""
    for attribute in node.attribute:
        yield from (attribute.g, *attribute.graphs)


def _tensors(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)
        for inner in _graphs(node):
            yield from _tensors(inner)
