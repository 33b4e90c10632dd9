"""One policy per owner: pods are selected as their Deployment or StatefulSet selects them."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from benchmarks.judge.baselines.traffic import Traffic
from benchmarks.judge.baselines.write import Name, propose
from benchmarks.judge.case import Prepared
from benchmarks.judge.proposal import Proposal
from synth.inventory.endpoint import Endpoint
from synth.inventory.model import Labels
from synth.policy.selector import Selector


def name_by_owner(match_labels: Mapping[tuple[str, str], Labels]) -> Name:
    """Return what selects a pod by its owner's labels; by its own where the owner is not known."""

    def name(endpoint: Endpoint) -> Selector:
        own = match_labels.get((endpoint.namespace, endpoint.workload)) or endpoint.labels
        return Selector.equal(dict(own))

    return name


def propose_owner(prepared: Prepared) -> Proposal:
    """Return a policy for each owner, from every answered contact."""

    def choose(traffic: Traffic) -> tuple[NDArray[np.bool_], Name]:
        return traffic.answered, name_by_owner(traffic.match_labels)

    return propose("owner", prepared, choose)
