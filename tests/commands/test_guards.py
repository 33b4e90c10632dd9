"""What learning and replaying must not let pass: foreign names, wide selectors, known traffic."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import synth.learner.learn
from synth.learner.model import Role
from synth.learner.roles import find_roles
from synth.policy.selector import Selector
from tests.made import connection, pod, write_cluster
from tests.running import CLIENT_TO_DB, learn, run_here

WEB, DB = "10.1.1.10", "10.1.2.20"


@pytest.mark.parametrize(("labels", "name"), [({}, "db-2"), ("synth", "db")])
def test_the_name_of_a_foreign_policy_is_not_taken(
    tmp_path: Path, labels: object, name: str
) -> None:
    """Applying it would replace what somebody else wrote."""
    web, db = pod("shop/web", {"app": "web"}, WEB), pod("shop/db", {"app": "db"}, DB, "n2")
    managed = {"app.kubernetes.io/managed-by": labels} if labels else {}
    spec = {"podSelector": {"matchLabels": {"app": "other"}}, "policyTypes": ["Ingress"]}
    there = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"namespace": "shop", "name": "db", "labels": managed},
        "spec": spec,
    }
    cluster = write_cluster(tmp_path / "cluster", web, db, there)
    flows = tmp_path / "flows.log"
    flows.write_text("".join(connection(number, WEB, DB, 3306) for number in range(4)))

    tree = learn(tmp_path / "out", [flows], cluster)

    assert yaml.safe_load(tree["policies/shop/db.yaml"])["metadata"]["name"] == name


def test_a_selector_that_picks_more_is_never_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The evaluator's own matcher has the second opinion, whatever the learner believes."""

    def widened(*arguments: object) -> tuple[Role, ...]:
        wide = Selector.equal({"app.kubernetes.io/part-of": "shop"})
        roles = find_roles(*arguments)  # type: ignore[arg-type] # as it was called
        return tuple(replace(one, selector=wide) if one.name == "db" else one for one in roles)

    monkeypatch.setattr(synth.learner.learn, "find_roles", widened)
    out = tmp_path / "out"
    ended = run_here("learn", CLIENT_TO_DB.flows, "--cluster", CLIENT_TO_DB.cluster, "--out", out)

    assert ended.code != 0
    assert "expected exactly its pods" in ended.err
    assert not out.exists()


def test_known_traffic_is_set_aside_and_failed_contacts_stay_rejected(tmp_path: Path) -> None:
    known = {"client": "shop/web", "server": "shop/api", "protocol": "TCP", "port": 5000}
    refused = {"client": "users/client", "server": "shop/web", "protocol": "TCP", "port": 8081}
    listed = [one | {"screening": "quarantined"} for one in (known, refused)]
    (tmp_path / "quarantine.yaml").write_text(yaml.safe_dump({"not-learned": listed}))
    policies = tmp_path / "policies"
    policies.mkdir()

    def matrix(*flags: object) -> dict[str, int]:
        where = ("--cluster", CLIENT_TO_DB.cluster, "--policies", policies, "--format", "json")
        ended = run_here("replay", CLIENT_TO_DB.flows, *where, *flags)
        found: dict[str, int] = json.loads(ended.out)["matrix"]["allowed"]
        return found

    before, after = matrix(), matrix("--quarantine", tmp_path / "quarantine.yaml")

    assert after["accepted"] == before["accepted"] - 492
    assert after["quarantined"] == before["quarantined"] + 492
    assert after["rejected"] == before["rejected"] == 4
