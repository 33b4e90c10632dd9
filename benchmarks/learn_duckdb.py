"""DuckDB's group-by of the same files, without identity; see `benchmarks.learn`.

The lower port is taken for the server's, which is no more than a guess. Runs in an environment of
its own, which holds nothing but DuckDB.
"""

import json
import sys
import time

import duckdb  # type: ignore[import-not-found] # not a dependency of synth

QUERY = """
    SELECT count(*), sum(records), sum(bytes), min(first), max(last) FROM (
        SELECT
            CASE WHEN srcport < dstport THEN pkt_dstaddr ELSE pkt_srcaddr END AS client,
            CASE WHEN srcport < dstport THEN pkt_srcaddr ELSE pkt_dstaddr END AS server,
            least(srcport, dstport) AS port,
            protocol,
            count(*) AS records,
            sum(bytes) AS bytes,
            min("start") AS first,
            max("end") AS last
        FROM read_parquet(?)
        GROUP BY ALL
    )
"""


def main() -> None:
    """Print the CPU seconds after the start of DuckDB, and the number of groups."""
    flows = sys.argv[1]
    connection = duckdb.connect(config={"threads": 1})
    begin = time.process_time()
    groups = connection.execute(QUERY, [f"{flows}/*.parquet"]).fetchall()[0][0]
    print(json.dumps({"work": time.process_time() - begin, "edges": groups}))


if __name__ == "__main__":
    main()
