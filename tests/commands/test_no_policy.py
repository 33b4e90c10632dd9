"""A replay without any policy says so: the folder may be the wrong one."""

import json
from pathlib import Path

from tests.running import CLIENT_TO_DB, run_here


def test_a_folder_without_policies_is_a_warning(tmp_path: Path) -> None:
    flags = ("--cluster", CLIENT_TO_DB.cluster, "--policies", tmp_path, "--format", "json")

    ended = run_here("replay", CLIENT_TO_DB.flows, *flags)

    assert ended.code == 0
    warning = json.loads(ended.out)["warnings"][0]
    assert warning.startswith(f"no NetworkPolicy in {tmp_path}: nothing is isolated")
