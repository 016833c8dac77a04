"""The real keeper in the replay: its configuration file, keystore, journal and tick; only its clock is the chain's."""

from __future__ import annotations

from dataclasses import dataclass

from keeper.chain.keystore import load_signer
from keeper.chain.reader import SnapshotReader
from keeper.config import Config
from keeper.runtime.assembly import build_tick, connect
from keeper.runtime.tick import Tick
from scripts.replay.makers import QUOTES
from scripts.replay.world import World

# Vega that needs no option, in ETH at the first price: about that of 90 at-the-money options of a week.
MAX_VEGA_ETH = 5.0
USUAL = """\
[policy]
name = "delta_band"
[overlay]
quotes = "{quotes}"
max_vega = {max_vega:.2f}
"""
# When the last option is gone the whole hedge is to go, however small.
CLOSING = """\
[policy]
name = "delta_band"
parameters = { band_eth = 0.001 }
[execution]
min_clip_eth = 0.001
"""


@dataclass(frozen=True, slots=True)
class Keeper:
    """The tick of every hour, the one for winding down, and the reader that both use."""

    usual: Tick
    closing: Tick
    reader: SnapshotReader

    @property
    def slice_step_s(self) -> int:
        """Seconds between two slices of a hedge."""
        return self.usual.rules.slicing.step_s


def build_keeper(world: World) -> Keeper:
    """Two configurations of one keeper, which differ in what is left unhedged."""
    price = world.chain.read(world.contracts.feed, "latestAnswer") / 10**8
    with_quotes = USUAL.format(quotes=QUOTES, max_vega=MAX_VEGA_ETH * price)
    usual, closing = (
        _tick(world, name, text) for name, text in (("keeper", with_quotes), ("closing", CLOSING))
    )
    return Keeper(
        usual, closing, SnapshotReader(world.chain.client, world.deployment, world.keeper)
    )


def _tick(world: World, name: str, own: str) -> Tick:
    path = world.folder / f"{name}.toml"
    common = (
        "[chain]",
        f'rpc_url = "{world.chain.url}"',
        f"chain_id = {world.deployment.chain_id}",
        f'deployment = "{world.record_path.name}"',
        "request_timeout_s = 60.0",
        "[keeper]",
        f'keystore = "{world.keystore_path.name}"',
        "dry_run = false",
        "[gas]",
        "max_base_fee_gwei = 600.0",
        "max_fee_gwei = 1500.0",
        "[journal]",
        'url = "journal.sqlite"',
    )
    path.write_text("\n".join(common) + "\n" + own, encoding="utf-8")
    signer = load_signer(world.keystore_path, world.password)
    return build_tick(connect(Config.load(path), block_time=True), signer)
