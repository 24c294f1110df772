"""Scale of logits: what a dual encoder multiplies its cosines by and adds, `logit_scale` and `logit_bias`."""

import math
from typing import Any

import numpy as np

from mmbench.harness.engine.kinds.kind import Inputs, Vectors
from mmbench.harness.engine.packing import Value
from mmbench.harness.types import Failure


class ScaleKind(Vectors):
    """Two numbers that are the model's own: asked once and remembered, so that a warm run loads no model for them."""

    name = "scale"
    window = 1
    first = 1
    largest = 1

    def call(self, adapter: Any, inputs: Inputs) -> list[Value | Failure]:
        """Read both properties: (2,) scale and bias, NaN for a scale that the model does not have."""
        return [_scale(adapter) for _ in inputs]


def _scale(adapter: Any) -> Value | Failure:
    found = getattr(adapter, "logit_scale", None)
    if found is None:
        return np.array([math.nan, 0.0])
    added = getattr(adapter, "logit_bias", None)
    scale, bias = float(found), 0.0 if added is None else float(added)
    if not (math.isfinite(scale) and scale > 0 and math.isfinite(bias)):
        return Failure(f"logit_scale is a number above 0 and logit_bias a number; the adapter says {scale} and {bias}")
    return np.array([scale, bias])


SCALE = ScaleKind()
