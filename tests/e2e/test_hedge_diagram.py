"""The sequence diagram of docs/hedging.md is that of a real rebalance: the keeper's own transaction, as traced."""

from pathlib import Path

from web3.types import RPCEndpoint

from scripts.deployment.record import read_record
from scripts.nodes import ROOT
from scripts.replay.diagram import sequence
from tests.e2e.desk import LiveDesk, live_desk

DOCUMENT = ROOT / "docs" / "hedging.md"
OWN = (
    "HedgeManager", "Clearinghouse", "BookMarks", "MarketOracle", "VolSurface", "UniswapSpotVenue",
)  # fmt: skip


def documented() -> list[str]:
    text = DOCUMENT.read_text(encoding="utf-8").split("```mermaid\nsequenceDiagram\n")[1]
    return [line.strip() for line in text.split("```")[0].splitlines()]


def traced(desk: LiveDesk) -> list[str]:
    """The keeper's last transaction."""
    mined = desk.keeper_transactions()[-1]
    args = [mined["hash"].to_0x_hex(), {"tracer": "callTracer"}]
    answer = desk.chain.web3.provider.make_request(RPCEndpoint("debug_traceTransaction"), args)
    contracts = read_record(desk.world.record_path).contracts
    names = {contracts[name].lower(): name for name in OWN}
    names |= {
        str(mined["from"]).lower(): "Keeper",
        desk.world.contracts.usdc.address.lower(): "USDC",
        desk.world.contracts.weth.address.lower(): "WETH",
        desk.world.pool.lower(): "Pool",
    }
    return sequence(answer["result"], names)


def test_the_diagram_is_the_trace_of_a_rebalance(tmp_path: Path) -> None:
    with live_desk(tmp_path) as desk:
        assert desk.tick().exit_code == 0
        assert traced(desk) == documented()
