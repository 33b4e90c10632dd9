"""Random clusters and captures, biased to awkward cases, and what is learned of them."""

from random import Random

from synth.flows import Rung
from tests.learner.worlds import ACCEPT, REFUSE, Contact, Lesson, World, port, study

APPS = ("web", "api", "db", "bank/web", "bank/job", "old")
OUTSIDE = ("203.0.113.9", "203.0.113.10", "2001:db8::9", "10.9.0.5", "169.254.169.254")
PORTS = (53, 80, 81, 82, 443, 8080, 10250)


def random_world(random: Random) -> World:
    """Return a cluster of six apps in two namespaces, some relabelled, exposed or alike."""
    world = World()
    for name in APPS:
        short = name.rpartition("/")[2]
        own = random.choice([f"app={short}", f"app={short}", f"app=x,tier={short}", "app=x"])
        declared = tuple(port(f"TCP {one}") for one in random.sample(PORTS, 2))
        world.app(
            name,
            own,
            replicas=random.randint(1, 3),
            ports=declared,
            match=own if random.random() < 0.5 else "",
            exists=name != "old",
            on=random.choice([("n1",), ("n1", "n2")]),
        )
    if random.random() < 0.3:
        world.pod("web", "app=past", start=0, end=9)
    if random.random() < 0.8:
        world.dns()
    if random.random() < 0.5:
        kind = random.choice(["NodePort", "LoadBalancer"])
        policy = random.choice(["Local", "Cluster"])
        some = random.choice([(), ("203.0.113.0/24",)])
        world.service("web", type=kind, external_traffic_policy=policy, source_ranges=some)
    return world


def random_contacts(random: Random) -> list[Contact]:
    """Return contacts, most of which a screen accepts."""
    return [_contact(random) for _ in range(random.randint(1, 14))]


def _contact(random: Random) -> Contact:
    others = (*OUTSIDE, "node n1", "node n2", "web|api")
    client = random.choice(APPS if random.random() < 0.8 else others)
    server = random.choice(APPS if random.random() < 0.8 or client in others else others)
    odd = random.random() < 0.25
    decided = random.random() < 0.95
    return Contact(
        client,
        server,
        random.choice(PORTS),
        protocol=random.choice(["TCP", "TCP", "TCP", "UDP", "SCTP"]),
        answered=random.choice([0, 4]) if odd else 4,
        failed=random.choice([0, 2]) if odd else 0,
        connections=random.choice([1, 2]) if odd else 2,
        members=random.choice([(1, 1), (1, 2)]) if odd else (1, 2),
        seen=random.choice(["", "", "", "node n1"]) if decided else "",
        same_node=random.random() < 0.2,
        rung=random.choice([Rung.FLAGS, Rung.REGISTERED]) if odd else Rung.FLAGS,
        decided=decided,
        client_port=0 if decided else 9001,
    )


def random_lesson(seed: int) -> Lesson:
    """Return what is learned of a random world, with or without assumed answers."""
    random = Random(seed)  # noqa: S311 - reproducible worlds
    inventory = random_world(random).build()
    contacts = {
        (one.client, one.server, one.port, one.protocol, one.seen, one.same_node): one
        for one in random_contacts(random)
    }
    assume = random.choice([None, ACCEPT, REFUSE])
    return study(inventory, *contacts.values(), assume=assume)
