"""A second gate on everything synth emits: the API's own schema, strictly."""

from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from synth.dialects.kubernetes import parse_policies, to_document, to_yaml
from tests.conformance.case import Case, cases
from tests.worlds import world

SCHEMA = kubernetes_validate.latest_version()
TESTS = Path(__file__).parents[2]
EMITTED = sorted(
    path
    for folder in ("policies", "pending")
    for path in TESTS.glob(f"golden/*/expected/{folder}/**/*.yaml")
    if path.name != "kustomization.yaml"
)


@pytest.mark.parametrize("path", EMITTED, ids=lambda path: str(path.relative_to(TESTS)))
def test_golden_policies(path: Path) -> None:
    documents = [one for one in yaml.safe_load_all(path.read_text()) if one]
    assert documents
    for document in documents:
        assert document["kind"] == "NetworkPolicy"
        kubernetes_validate.validate(document, SCHEMA, strict=True)
    read = parse_policies(documents, path.name).policies
    assert [to_document(policy)["spec"] for policy in read] == [one["spec"] for one in documents]


def test_there_are_golden_policies() -> None:
    assert {path.parts[path.parts.index("golden") + 1] for path in EMITTED} >= {"three-tier"}
    assert {"policies", "pending"} <= {part for path in EMITTED for part in path.parts}


@pytest.mark.parametrize("part", range(4))
def test_policies_of_random_worlds(part: int) -> None:
    for seed in range(part, 80, 4):
        drawn = world(seed, edges=0).policies
        for policy in parse_policies(drawn, "world").policies:
            document = yaml.safe_load(to_yaml(policy))
            kubernetes_validate.validate(document, SCHEMA, strict=True)
            assert parse_policies([document], "again").policies.policies == (policy,)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_policies_of_the_truth_tables(case: Case) -> None:
    documents = [one for one in yaml.safe_load_all(case.policies) if one]
    for policy in parse_policies(documents, case.name).policies:
        kubernetes_validate.validate(to_document(policy), SCHEMA, strict=True)


def test_the_schema_gate_is_strict() -> None:
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(
            {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "specs": {}},
            SCHEMA,
            strict=True,
        )
