from tests.brownie_fixtures import (  # noqa: F401
    accounts,
    chain,
    isolation,
    module_isolation,
    node,
    project,
)
