"""Which pods a policy is about."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from synth.evaluator.match import LabelIndex
from synth.inventory.endpoint import Endpoint, Kind
from synth.policy.selector import Selector


def members(selector: Selector, namespace: str, endpoints: Sequence[Endpoint]) -> NDArray[np.int32]:
    """Return int32[m]: the numbers of the POD endpoints that a policy's ``podSelector`` picks."""
    picked = LabelIndex.of(endpoint.labels for endpoint in endpoints).select(selector)
    pods = [one.kind is Kind.POD and one.namespace == namespace for one in endpoints]
    return np.flatnonzero(picked & np.array(pods, np.bool_)).astype(np.int32)
