"""Writes the pages that are readings of the code: ``python docs/generate.py``."""

import os
import subprocess
import sys
from pathlib import Path

from synth.cni.claims import QUESTIONS, Claim, Feature
from synth.cni.profile import Profile
from synth.cni.profiles import PROFILES
from synth.learner.screen import STEPS

DOCS = Path(__file__).resolve().parent
COMMANDS = ("describe", "learn", "replay", "coverage", "connectivity", "diff", "explain")


def pages() -> dict[str, str]:
    """Return file name → text of every generated page."""
    return {
        "cni.md": cni_page(),
        "commands.md": commands_page(),
        "screening.md": screening_page(),
    }


def commands_page() -> str:
    """Return the help of every command, as a terminal of 80 columns shows it."""
    parts = ["# Commands", ""]
    for words in ((), *((command,) for command in COMMANDS)):
        name = " ".join(("synth", *words))
        parts += [f"## {name}", "", "```", help_of(words), "```", ""]
    return "\n".join(parts).rstrip() + "\n"


def help_of(words: tuple[str, ...]) -> str:
    """Return what ``synth … --help`` prints."""
    environment = os.environ | {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}
    done = subprocess.run(
        [sys.executable, "-m", "synth", *words, "--help"],
        capture_output=True,
        check=True,
        text=True,
        env=environment,
    )
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())


def screening_page() -> str:
    """Return the table of the screen's steps."""
    rows = [f"| {at} | {text} | {word.word} |" for at, (_, word, text) in enumerate(STEPS, 1)]
    return (
        "\n".join(
            [SCREENING_HEAD, "| | what is true of the edge | it is |", "|---|---|---|", *rows]
        )
        + "\n"
    )


SCREENING_HEAD = """# Screening

Every edge meets these tests in this order; the first that holds decides. *Accepted* edges become
rules. *Quarantined* and *unresolved* ones are questions: they succeeded, or may have, and nothing
says that they are wanted. *Rejected* ones failed, and *retired* ones are of workloads that no
longer exist: neither is a question. An ambiguous edge is no question either if each of its
candidates would make an accepted one.

*Answered* means that a record shows a completed handshake or a reply. A *declared* port is a
container port, or the target port of a Service. A configuration *names* a server if the client's
environment, arguments or command name a Service of it. A client *failed to reach many other ports*
from ten different failed contacts on, if it has fewer than half as many successful ones.
"""


def cni_page() -> str:
    """Return the profiles of network plugins: who does what at a glance, then every claim."""
    names = [f"`{one.name}`" for one in PROFILES]
    lines = [CNI_HEAD, f"| | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for feature in Feature:
        answers = [one.claim(feature).value.value for one in PROFILES]
        lines.append(f"| {QUESTIONS[feature]} (`{feature.value}`) | {' | '.join(answers)} |")
    for profile in PROFILES:
        lines += ["", *_claims_table(profile)]
    return "\n".join(lines) + "\n"


def _claims_table(profile: Profile) -> list[str]:
    head = "| feature | answer | what that means | source | version of the source |"
    rows = [_claim_row(claim) for claim in profile.all_claims()]
    return [f"## {profile.title} (`{profile.name}`)", "", head, "|---|---|---|---|---|", *rows]


def _claim_row(claim: Claim) -> str:
    answer = f"{claim.value.value} {claim.span}".rstrip()
    cells = (claim.feature.value, answer, claim.note, claim.source, claim.version)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


CNI_HEAD = """# What network plugins enforce

The API server accepts a NetworkPolicy whether or not anything enforces it. What becomes of one is
up to the network plugin (CNI), and they differ. `synth` recognises the plugin in the cluster files
by its DaemonSets and their images, else by the annotations that it leaves on nodes; `--cni NAME`
names it instead, and `--cni unknown` means none. Several that enforce policies side by side are
named, and none is chosen. The version comes from the tag of its image. Settings in the dump come
before this table: `policy-cidr-match-mode`, `enable-policy`, `enable-k8s-networkpolicy`,
`policy-audit-mode` and `enable-sctp` of the ConfigMap `cilium-config`, `enable-network-policy` of
the agent in the DaemonSet `aws-node`, `enable-network-policy-controller` of the ConfigMap
`amazon-vpc-cni`, and `--run-firewall` of kube-router.

What follows from it:

- If nothing is enforced, that stands above everything else in a report.
- Every rule that the plugin ignores, refuses or reads otherwise is named, with the reason and its
  source. The policies themselves are never changed.
- Where the API leaves a choice (`ip-block-pods`, `ip-block-nodes`, `hairpin`, `from-own-node`,
  `to-own-node`, `host-network`), commands that judge policies judge as this plugin does, and say
  so; `--choose` comes first. `learn` proves its policies as most plugins read them, and names what
  this one reads otherwise. `dnat` is never set: the AWS VPC CNI judges before a Service's address
  is translated, but adds the addresses of Services to its rules, so that only Services whose port
  is not the container's come out differently; those are named.

Every answer has a source, given as repository and file, issue or pull request, or as a page of the
project's documentation, and the version (or the year) that it speaks of. Where none was found, the
answer is *unknown*: nothing is claimed then, and nothing is warned of. *Partly* also stands where
versions differ and the version is not known.
"""


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text)
