"""A replay without any policy says so: the folder may be the wrong one."""

import json
from pathlib import Path

from tests.running import THREE_TIER, run_here


def test_a_folder_without_policies_is_a_warning(tmp_path: Path) -> None:
    flags = ("--cluster", THREE_TIER.cluster, "--policies", tmp_path, "--format", "json")

    ended = run_here("replay", THREE_TIER.flows, *flags)

    assert ended.code == 0
    warning = json.loads(ended.out)["warnings"][0]
    assert warning.startswith(f"no NetworkPolicy in {tmp_path}: nothing is isolated")
