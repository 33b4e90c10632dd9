"""Names of outside addresses, as the user or the cloud gives them."""

from collections.abc import Iterator, Sequence

from synth.errors import Fault, InputError
from synth.inventory.documents import find_files, load_documents
from synth.inventory.fields import Faults, Field


def read_names(paths: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return CIDR and name of each outside address that the files name, sorted.

    A file maps names to an address, a CIDR, or a list of them; or it is the JSON output of
    ``aws ec2 describe-network-interfaces``, whose interfaces go by description, else by id.

    Raises
    ------
    InputError
        If a file holds something else.

    """
    found: set[tuple[str, str]] = set()
    faults: list[Fault] = []
    for file in find_files(paths) if paths else ():
        held = Faults(file.path)
        for value in load_documents(file.path):
            document = Field(value, held, "")
            interfaces = isinstance(value, dict) and "NetworkInterfaces" in value
            found.update(_of_interfaces(document) if interfaces else _of_mapping(document))
        faults += held.found
    if faults:
        raise InputError(*faults)
    return tuple(sorted(found))


def _of_mapping(document: Field) -> Iterator[tuple[str, str]]:
    for name in document.mapping():
        field = document.at(name)
        for one in field.items() if isinstance(field.value, list) else (field,):
            cidr = one.network()
            if cidr:
                yield cidr, str(name)


def _of_interfaces(document: Field) -> Iterator[tuple[str, str]]:
    for one in document.at("NetworkInterfaces").items():
        name = one.at("Description").text() or one.at("NetworkInterfaceId").text()
        public = one.at("Association", "PublicIp")
        private = (each.at("PrivateIpAddress") for each in one.at("PrivateIpAddresses").items())
        six = (each.at("Ipv6Address") for each in one.at("Ipv6Addresses").items())
        for field in (one.at("PrivateIpAddress"), public, *private, *six):
            cidr = field.network()
            if cidr:
                yield cidr, name
