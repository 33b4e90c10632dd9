"""What every test runs under: reproducible examples, and a switch that rewrites golden folders."""

import pytest
from hypothesis import Phase, settings

# One seed for everybody and no time limit per example: a busy machine fails no test.
settings.register_profile("default", derandomize=True, deadline=None)
# More examples, new ones each time: pytest --hypothesis-profile=thorough
settings.register_profile("thorough", derandomize=False, deadline=None, max_examples=2_000)
# Only whether a test fails, not on what: failing examples are not made smaller.
settings.register_profile(
    "first-failure", derandomize=True, deadline=None, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--golden-update``."""
    parser.addoption(
        "--golden-update",
        action="store_true",
        help="write what the program gives into tests/golden instead of comparing with it",
    )


@pytest.fixture(scope="session")
def golden_update(request: pytest.FixtureRequest) -> bool:
    """Return whether golden folders are to be rewritten instead of compared."""
    return bool(request.config.getoption("--golden-update"))
