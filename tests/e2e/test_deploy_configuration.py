"""Network and parameter files: what is refused, and that units become the contracts' integers."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from keeper.errors import ConfigError
from scripts.deployment.artifacts import ROOT, own
from scripts.deployment.networks import FOLDER, development_operators, load_network
from scripts.deployment.parameters import load_parameters
from scripts.deployment.roles import FUNCTION_ROLES
from tests.e2e.conftest import NETWORK

USDC = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
ADDRESSES = [USDC] * 10
EXTERNAL = "\n".join(
    f'{name} = "{USDC}"'
    for name in ("usdc", "weth", "feed", "usdc_feed", "uniswap_pool", "aave_pool")
)
GOOD = NETWORK.format(chain_id=11155111, external=EXTERNAL, accounts=ADDRESSES, guardian=USDC)
PARAMETERS = (FOLDER / "parameters.toml").read_text(encoding="utf-8")


def network(folder: Path, text: str) -> str:
    """The complaint about a network file."""
    (folder / "some.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_network("some", folder)
    assert str(folder / "some.toml") in str(caught.value)
    return str(caught.value)


def test_a_good_network_file(tmp_path: Path) -> None:
    (tmp_path / "some.toml").write_text(GOOD, encoding="utf-8")
    loaded = load_network("some", tmp_path)
    assert loaded.external.usdc == USDC
    assert loaded.roles.guardian == USDC


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (f'usdc = "{USDC}"', "", "external.usdc: Field required"),
        (f'usdc = "{USDC}"', 'usdc = "0x12"', "external.usdc: Value error, is not an address"),
        (USDC, USDC.replace("A0b8", "a0b8"), "has a wrong checksum: copy it again"),
        (USDC, "0x" + "00" * 20, "is the zero address"),
        ("[roles]", "[roles]\nking = 1", "roles.king: Extra inputs are not permitted"),
        ("chain_id = 11155111", "chain_id = 0", "chain_id: Input should be greater than 0"),
        ("chain_id = 11155111", "chain_id = [", "is not TOML"),
        ("feed_decimals = 8", "feed_decimals = 19", "less than or equal to 18"),
        ("[roles]", "[rolls]", "roles: Field required"),
    ],
)
def test_a_bad_network_file(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in GOOD
    assert complaint in network(tmp_path, GOOD.replace(old, new))


def test_all_faults_of_a_file_at_once(tmp_path: Path) -> None:
    message = network(tmp_path, GOOD.replace("chain_id = 11155111", "").replace(USDC, "0x12"))
    assert message.count("is not an address") == 11
    assert "chain_id: Field required" in message


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("band_eth = 2 ", "band_eth = 0", "hedge.band_eth: Input should be greater than"),
        ("band_eth = 2 ", "band_eth = nan", "hedge.band_eth: Input should be a finite number"),
        ("band_eth = 2 ", "band_eth = -2", "hedge.band_eth: Input should be greater than"),
        ("max_slippage = 0.01", "max_slippage = 0.06", "hedge.max_slippage: Input should be less"),
        ("max_vol = 5.0", "max_vol = 0.05", "max_vol is below min_vol"),
        ("min_health = 1.2", "min_health = 1.7", "min_health is above aave_short.target_health"),
        ("_per_hour = 250", "_per_hour = 20000", "budget_refill_usd_per_hour is above"),
        ("release_health = 2.2", "release_health = 1.6", "at least 0.02 above target_health"),
        ("[desk]", "[desk]\nband_eth = 2", "desk.band_eth: Extra inputs are not permitted"),
        ("[vault]", "[walt]", "vault: Field required"),
        ("= 2073600", "= 2073599", "governance.address_delay_s: Input should be greater"),
        ("= 345600", "= 259199", "governance.voting_period_s: Input should be greater"),
    ],
)
def test_bad_parameters(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in PARAMETERS
    path = tmp_path / "parameters.toml"
    path.write_text(PARAMETERS.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(complaint)):
        load_parameters(path)


def test_units_become_integers_exactly() -> None:
    given = load_parameters().with_values(hedge={"band_eth": Decimal("0.3")})
    assert given.hedge.struct()["band"] == 3 * 10**17
    assert given.hedge.struct()["budgetRefill"] == 250 * 10**6 // 3600 * 10**12
    assert given.hedge.struct()["surfaceMaxAge"] == 21600
    assert given.desk.struct()["latencyFloor"] == 4 * 10**15
    assert given.vault.struct()["minDeposit"] == 100 * 10**6
    assert given.margin.struct()["maintenanceShare"] == 75 * 10**16


def test_changed_values_are_checked_too() -> None:
    with pytest.raises(ConfigError, match=r"hedge\.band_eth"):
        load_parameters().with_values(hedge={"band_eth": Decimal(-1)})
    with pytest.raises(ConfigError, match="hedges: Extra inputs"):
        load_parameters().with_values(hedges={})


@pytest.mark.parametrize(
    ("section", "contract", "setter"),
    [
        ("surface", "VolSurface", "setParameters"),
        ("margin", "RiskEngine", "setParameters"),
        ("desk", "OptionDesk", "setParameters"),
        ("auction", "LiquidationAuction", "setParameters"),
        ("hedge", "HedgeManager", "setParameters"),
        ("fallback", "HedgeFallback", "setParameters"),
        ("oracle", "MarketOracle", "setParameters"),
        ("vault", "DeskVault", "setParameters"),
        ("aave_short", "AaveShortVenue", "setParameters"),
        ("perp", "CuriePerpVenue", "setParameters"),
        ("governance", "DeskGovernor", "constructor"),
    ],
)
def test_every_field_of_a_parameter_struct_is_given(
    section: str, contract: str, setter: str
) -> None:
    entry = next(e for e in own(contract).abi if setter in (e.get("name"), e["type"]))
    fields = {part["name"] for part in entry["inputs"][-1]["components"]}
    assert set(getattr(load_parameters(), section).struct()) == fields


def owners(source: str, functions: list[str]) -> list[str]:
    """The contracts that have these functions: their own file's, or those that inherit it where it is abstract."""
    if not functions or source in FUNCTION_ROLES:
        return [source] if functions else []
    heirs = [
        name
        for name in FUNCTION_ROLES
        if {*functions} <= {entry.get("name") for entry in own(name).abi}
    ]
    return heirs or [source]


def test_every_restricted_function_has_a_role() -> None:
    """Read from the sources: what is restricted there is listed in the table, and nothing else is."""
    restricted: dict[str, set[str]] = {}
    for path in (ROOT / "contracts").rglob("*.sol"):
        if "mocks" in path.parts or "interfaces" in path.parts:
            continue
        code = path.read_text(encoding="utf-8")
        found = re.findall(r"function (\w+)\([^)]*\)[^{;]*?\brestricted\b", code)
        for name in owners(path.stem, found):
            restricted.setdefault(name, set()).update(found)
    listed = {
        name: {function for functions in table.values() for function in functions}
        for name, table in FUNCTION_ROLES.items()
    }
    assert listed == restricted


def test_a_development_chain_needs_five_accounts() -> None:
    with pytest.raises(ConfigError, match="5 accounts: deployer, keeper, 3 guardians"):
        development_operators([USDC] * 4)


def test_the_example_lacks_nothing_but_the_roles(tmp_path: Path) -> None:
    example = (FOLDER / "mainnet.toml.example").read_text(encoding="utf-8")
    message = network(tmp_path, example)
    assert message.count("roles.") == message.count("is not an address") == 5
    (tmp_path / "some.toml").write_text(example.replace('= ""', f'= "{USDC}"'), encoding="utf-8")
    assert load_network("some", tmp_path).chain_id == 1
