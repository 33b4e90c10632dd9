"""Policies as files: one a file below its namespace, and a kustomization that names them all."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from synth.dialects.kubernetes.write import to_yaml
from synth.learner.model import Learned, Question
from synth.outputs.names import file_name
from synth.policy.model import Policy
from synth.reports.page import clean
from synth.reports.sentences import concern_words

Files = Mapping[str, bytes]

_KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"


def policy_files(learned: Learned) -> Files:
    """Return path → YAML of the ready policies, and the kustomization beside them."""
    roles = roles_by_policy(learned)
    files = {path_of(policy, roles): to_yaml(policy).encode() for policy in learned.policies}
    listed = "".join(f"- {path}\n" for path in sorted(files))
    resources = f"resources:\n{listed}" if files else "resources: []\n"
    files["kustomization.yaml"] = f"{_KUSTOMIZATION}{resources}".encode()
    return {f"policies/{path}": content for path, content in files.items()}


def pending_files(learned: Learned) -> Files:
    """Return path → YAML of the policies that wait, each below its open questions."""
    roles = roles_by_policy(learned)
    return {
        f"pending/{path_of(policy, roles)}": _pending(learned, policy, roles).encode()
        for policy in learned.pending
    }


def roles_by_policy(learned: Learned) -> Mapping[tuple[str, str], str]:
    """Return namespace and name of a policy → ``namespace/role`` of its role."""
    return {(role.partition("/")[0], name): role for role, name in learned.policy_of.items()}


def path_of(policy: Policy, roles: Mapping[tuple[str, str], str]) -> str:
    """Return ``namespace/role.yaml``."""
    role = roles.get(policy.key, str(policy)).partition("/")[2]
    return str(PurePosixPath(file_name(policy.namespace), f"{file_name(role)}.yaml"))


def _pending(learned: Learned, policy: Policy, roles: Mapping[tuple[str, str], str]) -> str:
    role = roles.get(policy.key, str(policy))
    questions = [question for question in learned.questions if _holds_up(question, role)]
    return f"{_comment(questions)}{to_yaml(policy)}"


def _holds_up(question: Question, role: str) -> bool:
    return question.answer is None and any(one == role for one, _ in question.concerns)


def _comment(questions: Iterable[Question]) -> str:
    lines = [
        "This policy waits for answers. It stands here as it would be if all were refused;",
        "do not apply it before. Answer in a copy of quarantine.yaml.",
    ]
    for question in questions:
        lines += ["", f"{question.key} ({question.kind}): {question.text}"]
        lines += [f"  evidence: {question.evidence}"] if question.evidence else []
        lines += [f"  holds up: {concern_words(question.concerns)}"]
    return "".join(f"# {clean(line)}".rstrip() + "\n" for line in lines)
