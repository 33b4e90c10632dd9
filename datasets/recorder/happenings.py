"""What happens once: each step of a topology, made to happen when its time has come."""

from __future__ import annotations

import threading
import time
from functools import singledispatch
from typing import TYPE_CHECKING, Final

from datasets.recorder.clients import judge
from datasets.recorder.cluster import now
from datasets.recorder.processes import run, within
from datasets.recorder.topology import (
    Call,
    CallOnce,
    Ping,
    Replace,
    RunJob,
    Scan,
    Step,
    TakeOver,
)
from datasets.recorder.truth import Contact, tell_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from datasets.recorder.cluster import Pod
    from datasets.recorder.lab import Lab
    from datasets.recorder.traffic import Traffic

FAREWELL: Final = 0.4
"""Seconds before its end at which a replaced pod looks up a name for the last time."""
PINGS: Final = 3


class Story:
    """The steps of a recording; those that overlap in time run side by side."""

    def __init__(self, lab: Lab, traffic: Traffic, say: Callable[[str], None]) -> None:
        """Begin nothing yet."""
        self.lab, self.traffic, self.say = lab, traffic, say
        self.freed: dict[str, Pod] = {}
        """Workload → its pod that is gone and whose addresses are free."""
        self.free = threading.Condition()
        self._threads: list[threading.Thread] = []

    def tell(self, began: float, seconds: float) -> None:
        """Let everything happen; times are since ``began``, of the monotonic clock."""
        for step in sorted(self.lab.topology.steps, key=lambda one: one.at):
            time.sleep(max(began + step.at - time.monotonic(), 0))
            self.say(_name(step))
            thread = threading.Thread(target=self._guarded, args=(step,), daemon=True)
            self._threads.append(thread)
            thread.start()
        time.sleep(max(began + seconds - time.monotonic(), 0))
        for thread in self._threads:
            thread.join(30)
            if thread.is_alive():
                self.traffic.faults.append("a step did not end")

    def _guarded(self, step: Step) -> None:
        try:
            happen(step, self)
        except Exception as error:  # noqa: BLE001 - the main thread tells of it
            self.traffic.faults.append(f"{_name(step)}: {error}")

    def pick(self, workload: str, node: str = "") -> Pod:
        """Return the workload's first pod that runs, on the node if one is named."""
        pods = [pod for pod in self.lab.cluster.present(workload) if pod.ready]
        return next(pod for pod in pods if not node or pod.node.name == node)


@singledispatch
def happen(step: Step, _story: Story) -> None:
    """Make the step happen; return when it is over."""
    raise TypeError(step)


@happen.register
def _(step: CallOnce, story: Story) -> None:
    pod = story.pick(step.source, step.node)
    # A port that its Service does not have is asked of a pod itself.
    targets = [one for one in story.lab.topology.workloads if one.key == step.call.to]
    ports = {server.port for one in targets for server in one.servers}
    if targets and step.call.port not in {0, *ports}:
        address = story.pick(step.call.to).addresses[0]
        story.traffic.call(pod, Call(address, step.call.kind, step.call.port, None))
    else:
        story.traffic.call(pod, step.call)


@happen.register
def _(step: Ping, story: Story) -> None:
    pod, server = story.pick(step.source), story.pick(step.to)
    command = ("ping", "-c", str(PINGS), "-i", "0.3", "-W", "1", server.addresses[0])
    began, clock = time.time(), time.monotonic()
    done = run(within(story.lab.network.pod(pod.name), *command))
    story.lab.truth.add(
        Contact(
            at=tell_time(began),
            client=step.source,
            pod=pod.name,
            server=step.to,
            protocol="ICMP",
            port=None,
            outcome="answered" if done.returncode == 0 else "unanswered",
            seconds=round(time.monotonic() - clock, 3),
            program="ping",
            address=server.addresses[0],
        )
    )


@happen.register
def _(step: Scan, story: Story) -> None:
    pod = story.pick(step.source)
    for key in step.to:
        address = story.pick(key).addresses[0]
        for port in range(step.first_port, step.last_port + 1):
            call = Call(key, "tcp", port, None)
            command = ("nc", "-z", "-v", "-w", "1", address, str(port))
            began, clock = time.time(), time.monotonic()
            done = run(within(story.lab.network.pod(pod.name), *command))
            story.lab.truth.add(
                Contact(
                    at=tell_time(began),
                    client=step.source,
                    pod=pod.name,
                    server=key,
                    protocol="TCP",
                    port=port,
                    outcome=judge(call.kind, done.returncode, done.stdout, done.stderr),
                    seconds=round(time.monotonic() - clock, 3),
                    program="nc",
                    address=address,
                )
            )


@happen.register
def _(step: Replace, story: Story) -> None:
    lab = story.lab
    old = story.pick(step.workload, step.node)
    lab.delete(old)
    deleted = time.monotonic()
    new = lab.add_pod(old.workload, old.node)
    lab.run_pod(new)
    story.traffic.begin_pod(new)
    time.sleep(max(deleted + step.drain - FAREWELL - time.monotonic(), 0))
    if lab.topology.dns:
        dns = lab.topology.dns
        story.traffic.call(old, Call(dns.key, "dns", 53, None, dns.host))
    time.sleep(max(deleted + step.drain - time.monotonic(), 0))
    lab.end_pod(old)
    lab.forget(old)
    with story.free:
        story.freed[step.workload] = old
        story.free.notify_all()


@happen.register
def _(step: TakeOver, story: Story) -> None:
    lab = story.lab
    with story.free:
        story.free.wait_for(lambda: step.address_of in story.freed, timeout=20)
        old = story.freed.pop(step.address_of)
    pod = lab.add_pod(lab.topology.workload(step.workload), old.node)
    time.sleep(step.delay)
    lab.run_pod(pod, old.addresses)
    story.traffic.begin_pod(pod)


@happen.register
def _(step: RunJob, story: Story) -> None:
    lab = story.lab
    workload = lab.topology.workload(step.workload)
    job = lab.cluster.add_job(workload)
    pod = lab.add_pod(workload, lab.topology.node(step.node), job.owner)
    lab.run_pod(pod)
    story.traffic.begin_pod(pod)
    time.sleep(step.seconds)
    pod.stopping.set()
    time.sleep(1)
    lab.end_pod(pod)
    job.finished = now()


def _name(step: Step) -> str:
    return f"{type(step).__name__} at {step.at:g} s"
