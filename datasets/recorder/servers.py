"""The programs that listen: nginx, MariaDB, dnsmasq, and a small one for everything else."""

from __future__ import annotations

import json
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from datasets.recorder.clients import GREETING, build_command, find_target
from datasets.recorder.processes import CommandError, must, run, within
from datasets.recorder.topology import CLUSTER_DOMAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datasets.recorder.topology import Call, Server, Topology

APPLICATION: Final = Path(__file__).resolve().parent / "application.py"
LOOK_UPS: Final = "calls.jsonl"
"""Name of the file in which a server logs the calls that it makes for its own clients."""
PATIENCE: Final = 20.0

_NGINX: Final = """\
daemon off;
user root;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  log_format calls escape=json '{{"call": 0, "at": $msec, "seconds": $request_time, '
    '"exit": 0, "told": "$upstream_status", "said": "", "uri": "$uri"}}';
  access_log {folder}/{log} calls;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  {resolver}
  server {{
    listen {port};
    listen [::]:{port};
    location = /healthz {{ access_log off; return 200 "ok\\n"; }}
    location / {{ {action} }}
  }}
}}
"""
_FORWARD: Final = "set $next {url}; proxy_pass $next; proxy_connect_timeout 2s;"
_ANSWER: Final = 'return 200 "ok\\n";'

_SQL: Final = """\
CREATE DATABASE IF NOT EXISTS shop;
CREATE TABLE IF NOT EXISTS shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, item TEXT);
INSERT INTO shop.orders (item) VALUES ('tea'), ('bread'), ('salt');
CREATE USER IF NOT EXISTS 'shop'@'%' IDENTIFIED BY 'shop';
GRANT SELECT ON shop.* TO 'shop'@'%';
"""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a program runs: its namespace, its own folder, the address it listens on."""

    namespace: str
    folder: Path
    address: str = "::"


def prepare_database(folder: Path) -> Path:
    """Return a folder that MariaDB can start from; copied for each pod that runs one."""
    data = folder / "mariadb"
    must(
        (
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--user=root",
        ),
        seconds=120,
    )
    return data


def find_command(
    topology: Topology, server: Server, calls: Sequence[Call], site: Site, database: Path
) -> tuple[str, ...]:
    """Return the command that serves, having written the files that it needs."""
    site.folder.mkdir(parents=True, exist_ok=True)
    if server.kind == "nginx":
        return _nginx(topology, server, calls, site)
    if server.kind == "mysql":
        return _mariadb(server, site, database)
    if server.kind == "dns":
        return _dnsmasq(topology, server)
    made = [(one, *find_target(topology, one)) for one in calls]
    settings = {
        "kind": server.kind,
        "address": site.address,
        "port": server.port,
        "calls": [{"command": build_command(*one), "given": _given(one[0])} for one in made],
        "log": str(site.folder / LOOK_UPS),
    }
    return (sys.executable, "-I", str(APPLICATION), json.dumps(settings))


def wait_for(server: Server, site: Site) -> None:
    """Wait until the server listens; nothing is sent to it, so nothing is recorded.

    Raises
    ------
    CommandError
        If it takes too long.

    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        lines = run(within(site.namespace, "ss", "-Hlntu")).stdout.splitlines()
        listening = {line.split()[4].rpartition(":")[2] for line in lines}
        if str(server.port) in listening:
            return
        time.sleep(0.05)
    logs = [path.read_text(errors="replace")[-500:] for path in site.folder.glob("*.log")]
    raise CommandError(f"{server.kind} in {site.namespace} does not listen. {' '.join(logs)}")


def _given(call: Call) -> str:
    return GREETING if call.kind in ("tcp", "udp") else ""


def _nginx(
    topology: Topology, server: Server, calls: Sequence[Call], site: Site
) -> tuple[str, ...]:
    action, resolver = _ANSWER, ""
    if calls:
        host, port = find_target(topology, calls[0])
        action = _FORWARD.format(url=f"http://{host}:{port}")
    if topology.dns:
        resolver = f"resolver {topology.cluster_addresses(topology.dns)[0]} valid=3s;"
    text = _NGINX.format(
        folder=site.folder, log=LOOK_UPS, port=server.port, action=action, resolver=resolver
    )
    path = site.folder / "nginx.conf"
    path.write_text(text, encoding="utf-8")
    return ("nginx", "-c", str(path), "-e", str(site.folder / "error.log"))


def _mariadb(server: Server, site: Site, database: Path) -> tuple[str, ...]:
    data, orders = site.folder / "data", site.folder / "orders.sql"
    shutil.copytree(database, data)
    orders.write_text(_SQL, encoding="utf-8")
    return (
        "mariadbd",
        "--no-defaults",
        "--user=root",
        f"--datadir={data}",
        f"--socket={site.folder / 'socket'}",
        f"--pid-file={site.folder / 'pid'}",
        f"--init-file={orders}",
        f"--port={server.port}",
        "--bind-address=*",
        "--skip-name-resolve",
        "--innodb-buffer-pool-size=8M",
        "--innodb-log-file-size=4M",
    )


def _dnsmasq(topology: Topology, server: Server) -> tuple[str, ...]:
    """Return a DNS server that knows the Services and who is outside by name."""
    hosts = [
        f"--host-record={one.host},{','.join(topology.cluster_addresses(one))}"
        for one in topology.workloads
        if one.servers
    ]
    hosts += [f"--host-record={one.name},{','.join(one.addresses)}" for one in topology.outsiders]
    quiet = ("--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--no-poll", "--no-daemon")
    return (
        "dnsmasq",
        *quiet,
        "--user=root",
        f"--port={server.port}",
        f"--local=/{CLUSTER_DOMAIN}/",
        *hosts,
    )
