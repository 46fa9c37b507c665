"""An output of one ONNX model put beside those of another that takes the same samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.compose import add_prefix
from onnx.numpy_helper import to_array
from onnx.utils import Extractor

NEAR = 1e-6
"""Constants that differ by no more than this share of the largest one are the same."""


def graft(model: bytes, donor: bytes, output: str) -> bytes:
    """The model with a further output, computed as the donor does; what both compute alike is computed once.

    Args:
        model: What the output is added to.
        donor: A model with the same input and with `output`.
        output: Its name.
    """
    whole, other = onnx.load_from_string(model), onnx.load_from_string(donor)
    inputs = [one.name for one in whole.graph.input]
    part = Extractor(other).extract_model(inputs, [output])
    part = add_prefix(part, f"{output}/", rename_inputs=False, rename_outputs=False, rename_value_infos=False)
    whole.graph.initializer.extend(part.graph.initializer)
    whole.graph.node.extend(part.graph.node)
    whole.graph.output.extend(part.graph.output)
    _once(whole.graph)
    made: bytes = whole.SerializeToString()
    return made


def _once(graph: onnx.GraphProto) -> None:
    """Of constants and nodes that are alike keep the first one, which stands for the others; and no cast to itself."""
    same: dict[str, str] = {}
    kinds = {one.name: one.type.tensor_type.elem_type for one in graph.input}
    constants: list[tuple[str, NDArray[Any]]] = []
    firsts: dict[bytes, Sequence[str]] = {}
    tensors = [one for one in graph.initializer if not _stood_for(one.name, to_array(one), constants, same)]
    nodes = []
    for node in graph.node:
        node.input[:] = [same.get(name, name) for name in node.input]
        if node.op_type == "Cast" and kinds.get(node.input[0]) == node.attribute[0].i:
            same[node.output[0]] = node.input[0]
            continue
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            if not _stood_for(node.output[0], to_array(node.attribute[0].t), constants, same):
                nodes.append(node)
            continue
        bare = onnx.NodeProto(op_type=node.op_type, domain=node.domain, input=node.input, attribute=node.attribute)
        first = firsts.setdefault(bare.SerializeToString(deterministic=True), list(node.output))
        same.update(zip(node.output, first, strict=True))
        if first[0] == node.output[0]:
            nodes.append(node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(tensors)
    graph.node.extend(nodes)


def _stood_for(name: str, values: NDArray[Any], known: list[tuple[str, NDArray[Any]]], same: dict[str, str]) -> bool:
    """Whether an earlier constant has these values; then it stands for this one."""
    for other, theirs in known:
        if theirs.dtype == values.dtype and theirs.shape == values.shape:
            far = NEAR * float(np.abs(theirs).max(initial=0))
            if np.allclose(values, theirs, rtol=0, atol=far):
                same[name] = other
                return True
    known.append((name, values))
    return False
