"""Signed quotes in the replay: an outside maker who quotes to the vault, and the desk's quoter who quotes to takers.

Every hour the maker writes what he would trade with the vault into a file, as the keeper's [overlay] reads it: half of
its largest short and half of its largest long position, signed by his own key. Whether one is taken is the keeper's
decision. The quoter signs for the vault what a taker asks for; the taker fills it at the market of signed quotes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account import Account

from keeper.chain.bindings import Log
from keeper.chain.keystore import Signer
from keeper.chain.rfq import SignedRfq
from keeper.portfolio.attribution import OptionTrade
from keeper.units import WAD, decode_series, from_wad
from scripts.nodes import MNEMONIC
from scripts.replay.chain import ReplayFailure, events
from scripts.replay.takers import MAX_UINT, vault_leg
from scripts.replay.world import COMMITTER, OPTION_MAKER, World

Legs = list[tuple[int, int]]
QUOTES = "quotes.json"
CASH_ETH = 1_000.0
VALID_S = 3_600
LOT_WAD = WAD // 10
# Of the band that the market of signed quotes allows around fair, in hundredths: what a maker and the quoter ask for.
EDGE = 75


def signer_of(account_index: int) -> Signer:
    """The key of one of the node's accounts, which are all of one well-known mnemonic."""
    Account.enable_unaudited_hdwallet_features()
    path = f"m/44'/60'/0'/0/{account_index}"
    return Signer(Account.from_mnemonic(MNEMONIC, account_path=path))


@dataclass(slots=True)
class Makers:
    """`taken` are the quotes that rebalances of the keeper took, `filled` the desk's own that takers filled."""

    world: World
    maker: Signer = field(default_factory=lambda: signer_of(OPTION_MAKER))
    quoter: Signer = field(default_factory=lambda: signer_of(COMMITTER))
    taken: list[dict[str, Any]] = field(default_factory=list)
    filled: list[OptionTrade] = field(default_factory=list)
    signed: int = 0

    @property
    def file(self) -> Path:
        """What the keeper reads."""
        return self.world.folder / QUOTES

    def fund(self, price_usd: float) -> None:
        """The maker's cash: his short options are margined as anybody's."""
        chain, c = self.world.chain, self.world.contracts
        usdc = self.world.give_usdc(self.maker.address, CASH_ETH * price_usd)
        chain.send(self.maker.address, c.usdc, "approve", c.clearing.address, MAX_UINT)
        chain.send(self.maker.address, c.clearing, "depositCash", usdc)
        self._write([])

    def publish(self) -> None:
        """Quotes of this hour, from the vault's book as anybody can read it."""
        c = self.world.contracts
        legs: Legs = self.world.chain.read(c.clearing, "legsOf", c.vault.address)
        now_s = self.world.chain.now_s()
        live = [leg for leg in legs if decode_series(leg[0])[1] > now_s]
        sides = {
            "ask": min(live, key=lambda leg: leg[1], default=(0, 0)),
            "bid": max(live, key=lambda leg: leg[1], default=(0, 0)),
        }
        rows = []
        for side, (series, size) in sides.items():
            half = abs(size) // 2 // LOT_WAD * LOT_WAD
            if half and (size < 0) == (side == "ask"):
                rows += self._row(side, [(series, half if side == "ask" else -half)])
        self._write(rows)

    def sell(self, taker: str, legs: Legs) -> OptionTrade:
        """The quoter's quote to one taker, filled by him whole; from the vault's side."""
        chain, c = self.world.chain, self.world.contracts
        fair, band = self.fair(legs, False)
        rfq = self._sign(self.quoter, c.vault.address, taker, legs, fair + band * EDGE // 100)
        signature = bytes.fromhex(rfq.signature[2:])
        mined = chain.send(taker, c.rfq, "fill", rfq.fields(), signature, WAD, rfq.premium)
        (done,) = events(c.rfq, "RfqFilled", mined.logs)
        sold = OptionTrade(
            tuple(vault_leg(*leg) for leg in done["legs"]), from_wad(done["premium"])
        )
        self.filled.append(sold)
        return sold

    def bought(self, logs: Sequence[Log]) -> tuple[OptionTrade, ...]:
        """Makers' quotes that the vault took in a rebalance, from the vault's side; noted with what they did."""
        c = self.world.contracts
        fills = events(c.rfq, "RfqFilled", logs)
        effects = events(c.hedger, "OptionsTaken", logs)
        if len(fills) != len(effects):
            raise ReplayFailure(f"{len(fills)} quotes were filled, {len(effects)} taken")
        trades = []
        for fill, effect in zip(fills, effects, strict=True):
            legs = tuple(vault_leg(series, -size) for series, size in fill["legs"])
            trades.append(OptionTrade(legs, -from_wad(fill["premium"])))
            self.taken.append(
                {
                    "timestamp_s": self.world.chain.now_s(),
                    "contracts": sum(leg.size for leg in legs),
                    "premium_usd": from_wad(fill["premium"]),
                    "vega_before_usd": from_wad(effect["vegaBefore"]),
                    "vega_after_usd": from_wad(effect["vegaAfter"]),
                    "nav_change_usd": from_wad(effect["navChange"]),
                }
            )
        return tuple(trades)

    def figures(self) -> dict[str, Any]:
        """For result.json: number and value of what went by signed quotes."""
        return {
            "signed_by_maker": self.signed,
            "taken_by_vault": len(self.taken),
            "taken_premium_usd": sum(abs(t["premium_usd"]) for t in self.taken),
            "vega_given_away_usd": sum(
                abs(t["vega_before_usd"]) - abs(t["vega_after_usd"]) for t in self.taken
            ),
            "taken": list(self.taken),
            "filled_by_takers": len(self.filled),
            "filled_premium_usd": sum(abs(t.premium_usd) for t in self.filled),
        }

    def _row(self, side: str, legs: Legs) -> list[dict[str, Any]]:
        """One quote to the vault; none where the desk says that it could not be taken."""
        c = self.world.contracts
        try:
            fair, band = self.fair([(series, -size) for series, size in legs], True)
        except ReplayFailure:
            return []
        price = -fair + band * EDGE // 100
        rfq = self._sign(self.maker, self.maker.address, c.vault.address, legs, price)
        if rfq.premium * legs[0][1] < 0:  # worth less than the edge
            return []
        self.signed += 1
        return [
            {
                "id": f"{side}-{rfq.nonce}",
                "lot": LOT_WAD / WAD,
                "rfq": "0x" + rfq.encoded().hex(),
                "signature": rfq.signature,
            }
        ]

    def fair(self, legs: Legs, hedging: bool) -> tuple[int, int]:
        """Fair premium of a taker's legs, and the band around it."""
        world = self.world
        seen = world.chain.read(world.contracts.desk, "assess", legs, hedging)
        return int(seen[2]), int(seen[4])

    def _sign(self, signer: Signer, maker: str, taker: str, legs: Legs, premium: int) -> SignedRfq:
        head_s = self.world.chain.now_s()
        rfq = SignedRfq(
            chain_id=self.world.deployment.chain_id,
            market=self.world.contracts.rfq.address,
            maker=maker,
            taker=taker,
            legs=legs,
            premium=premium,
            nonce=2 * head_s + (legs[0][1] > 0),
            deadline=head_s + VALID_S,
        )
        return rfq.model_copy(update={"signature": signer.sign_typed(rfq.typed_data())})

    def _write(self, rows: list[dict[str, Any]]) -> None:
        self.file.write_text(json.dumps({"quotes": rows}), encoding="utf-8")
