"""What goes on all the time: everybody's regular calls, and the kubelets' probes."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Final

from datasets.recorder.clients import find_target
from datasets.recorder.contact import Client, Target, make_contact
from datasets.recorder.processes import CommandError
from datasets.recorder.topology import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from datasets.recorder.cluster import Pod
    from datasets.recorder.lab import Lab
    from datasets.recorder.topology import Outsider
    from datasets.recorder.truth import Contact

PROBE_EVERY: Final = 5.0
LAST_CALL: Final = 15.0
"""Seconds that a call under way may take when everything ends."""


class Traffic:
    """The threads that make the regular calls, each until its pod, or everything, stops."""

    def __init__(self, lab: Lab) -> None:
        """Start with none."""
        self._lab = lab
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.faults: list[str] = []
        """What went wrong in a thread; a recording with any is no good."""

    def begin(self) -> None:
        """Begin all that goes on from the start."""
        for outsider in self._lab.topology.outsiders:
            for call in outsider.calls:
                if call.every is not None:
                    self._repeat(call.every, self._visiting(outsider, call), self._stop)
        for pod in self._lab.cluster.present():
            self.begin_pod(pod)

    def begin_pod(self, pod: Pod) -> None:
        """Begin the pod's own calls, and its kubelet's probes."""
        for call in pod.workload.calls:
            if call.every is not None:
                self._repeat(call.every, self._calling(pod, call), pod.stopping)
        if pod.workload.probed:
            self._repeat(PROBE_EVERY, self._probing(pod), pod.stopping)

    def end(self) -> None:
        """Stop everything, and wait for what is under way."""
        self._stop.set()
        for pod in self._lab.cluster.pods:
            pod.stopping.set()
        for thread in self._threads:
            thread.join(LAST_CALL)

    def call(self, pod: Pod, call: Call) -> Contact:
        """Return the contact that a client in the pod has just made."""
        target = Target(*find_target(self._lab.topology, call))
        client = Client.of_pod(self._lab.network, pod)
        return make_contact(self._lab.truth, client, call, target)

    def _calling(self, pod: Pod, call: Call) -> Callable[[], Contact]:
        return lambda: self.call(pod, call)

    def _visiting(self, outsider: Outsider, call: Call) -> Callable[[], Contact]:
        """Return what calls an exposed workload, each time through a node at random."""
        lab = self._lab
        client = Client.of_outsider(lab.network, outsider)
        exposure = lab.topology.workload(call.to).exposure
        port = exposure.node_port if exposure else 0

        def visit() -> Contact:
            node = random.choice(lab.topology.nodes)
            return make_contact(lab.truth, client, call, Target(node.addresses[0], port))

        return visit

    def _probing(self, pod: Pod) -> Callable[[], Contact]:
        lab, port = self._lab, pod.workload.servers[0].port
        call = Call(pod.workload.key, "http", port, None)
        client = Client.of_node(lab.network, pod.node.name)
        target = Target(pod.addresses[0], port, "healthz")
        return lambda: make_contact(lab.truth, client, call, target)

    def _repeat(self, every: float, act: Callable[[], object], stop: threading.Event) -> None:
        def loop() -> None:
            pause = random.uniform(0.1, min(every, 2.0))
            while not stop.wait(pause) and not self._stop.is_set():
                try:
                    act()
                except (CommandError, OSError) as error:
                    self.faults.append(str(error))
                    return
                pause = every * random.uniform(0.8, 1.2)

        thread = threading.Thread(target=loop, daemon=True)
        self._threads.append(thread)
        thread.start()
