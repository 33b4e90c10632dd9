"""The fold as one would write it in a notebook, with pandas; see `benchmarks.learn`.

The lower port is taken for the server's. A record belongs to the pod that held the address when
the record began, even where another may have been meant; a faulty record is not looked for.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

pa.set_cpu_count(1)
COLUMNS = ("pkt_srcaddr", "pkt_dstaddr", "srcport", "dstport", "protocol", "bytes", "start", "end")


def main() -> None:
    """Print the CPU seconds after the cluster was read, and the number of edges."""
    flows, cluster = sys.argv[1:]
    holdings = _holdings(Path(cluster))
    begin = time.process_time()
    edges = _fold(pd.read_parquet(flows, columns=list(COLUMNS)), holdings)
    print(json.dumps({"work": time.process_time() - begin, "edges": len(edges)}))


def _holdings(cluster: Path) -> pd.DataFrame:
    """Return address, since and workload, in the order of since."""
    pods = list(json.loads((cluster / "after.json").read_text())["items"])
    events = (cluster / "watch.json").read_text().splitlines()
    pods += [json.loads(line)["object"] for line in events]
    rows = [
        {
            "address": pod["status"]["podIP"],
            "since": pod["status"]["startTime"],
            "workload": pod["metadata"]["ownerReferences"][0]["name"],
        }
        for pod in pods
        if pod["kind"] == "Pod"
    ]
    frame = pd.DataFrame(rows)
    frame["since"] = pd.to_datetime(frame["since"]).astype("datetime64[s, UTC]").astype("int64")
    return frame.sort_values("since")


def _fold(records: pd.DataFrame, holdings: pd.DataFrame) -> pd.DataFrame:
    records = records.sort_values("start")
    for end in ("src", "dst"):
        named = holdings.rename(columns={"address": f"pkt_{end}addr", "workload": end})
        records = pd.merge_asof(
            records, named, left_on="start", right_on="since", by=f"pkt_{end}addr"
        ).drop(columns="since")
        records[end] = records[end].fillna(records[f"pkt_{end}addr"])
    turned = records["srcport"] < records["dstport"]
    edges: Any = pd.DataFrame(
        {
            "client": records["src"].mask(turned, records["dst"]),
            "server": records["dst"].mask(turned, records["src"]),
            "port": records["dstport"].mask(turned, records["srcport"]),
            "protocol": records["protocol"],
            "bytes": records["bytes"],
            "start": records["start"],
            "end": records["end"],
        }
    ).groupby(["client", "server", "port", "protocol"])
    whole: pd.DataFrame = edges.agg(
        records=("start", "size"),
        bytes=("bytes", "sum"),
        first=("start", "min"),
        last=("end", "max"),
    )
    return whole


if __name__ == "__main__":
    main()
