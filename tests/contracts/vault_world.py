"""A vault over the real Clearinghouse and RiskEngine, with price, surface and token set by hand.

USDC amounts are token units (6 decimals), shares and everything else WAD.
"""

from dataclasses import dataclass
from typing import Any

from brownie import web3

USD = 10**6
WAD = 10**18
USDC_SCALE = 10**12
ETH = 1
EPOCH = 86_400
SURFACE_MAX_AGE = 3_600
MIN_DEPOSIT = 10 * USD
MIN_REDEEM = WAD
VOL_UNCERTAINTY = 2 * 10**16
VOL_DRIFT = 5 * 10**15
FEED_DEVIATION = 10**15
UNWIND_COST = 2 * 10**15
MANAGEMENT_FEE = 2 * 10**16
PERFORMANCE_FEE = 10**17
WINDOW = EPOCH // 4
MISSED = 3
PARAMETERS = (
    EPOCH,
    WINDOW,
    SURFACE_MAX_AGE,
    MISSED,
    MIN_DEPOSIT,
    MIN_REDEEM,
    VOL_UNCERTAINTY,
    VOL_DRIFT,
    FEED_DEVIATION,
    UNWIND_COST,
    MANAGEMENT_FEE,
    PERFORMANCE_FEE,
)
MARGIN = tuple(share * 10**16 for share in (20, 30, 20, 50, 35, 3, 1, 5, 75))
FRESH, DEVIATING, STALE = range(3)
Q44 = 1 << 44
LIQUIDATOR = 4


def series(expiry: int, strike: int, *, call: bool) -> int:
    """SeriesId of an ETH option; `strike` WAD."""
    return ETH << 112 | expiry << 72 | (strike // 10**10) << 8 | int(call)


def flat_slice(vol: float, tau_seconds: int) -> int:
    """A packed SVI slice of one volatility at every strike."""
    variance = round(vol * vol * tau_seconds / (365 * 86_400) * Q44)
    return variance << 204 | Q44 // 1000


@dataclass
class VaultWorld:
    """The contracts and the moves that tests are made of. `admin` is governance and also a market."""

    chain: Any
    admin: Any
    sponsor: Any
    usdc: Any
    weth: Any
    market: Any
    manager: Any
    house: Any
    lens: Any
    vault: Any
    share: Any
    engine: Any
    marks: Any
    venue: Any

    def fund(self, user: Any, usdc: int) -> None:
        """Give a user USDC and the vault the user's allowance."""
        self.usdc.mint(user, usdc, {"from": self.admin})
        self.usdc.approve(self.vault, 2**256 - 1, {"from": user})

    def request_deposit(self, user: Any, usdc: int) -> int:
        self.fund(user, usdc)
        return self.vault.requestDeposit(usdc, user, user, {"from": user}).return_value

    def request_redeem(self, user: Any, shares: int) -> int:
        return self.vault.requestRedeem(shares, user, user, {"from": user}).return_value

    def end_epoch(self, after: int = 0) -> None:
        """Move time to the end of the epoch, or to the first window that is open after a given time."""
        at = max(after, self.chain[-1].timestamp, self.vault.epochEndsAt())
        into = (at - self.vault.epochEndsAt()) % EPOCH
        if into >= WINDOW - 60:
            at += EPOCH - into
        self.pass_until(at)

    def leave_window(self) -> None:
        """Move time to the next moment at which no epoch can be processed, whatever time it is."""
        ends = self.vault.epochEndsAt()
        at = max(self.chain[-1].timestamp, ends)
        self.pass_until(at + max(0, WINDOW - (at - ends) % EPOCH))

    def pass_until(self, at: int) -> None:
        """An empty block at this time, or now if it has passed."""
        self.chain.sleep(max(0, at - self.chain[-1].timestamp))
        self.chain.mine()

    def process(self) -> Any:
        """End the epoch and process it. Gives back the event."""
        self.end_epoch()
        tx = self.vault.processEpoch({"from": self.sponsor})
        return tx.events["EpochProcessed"]

    def invest(self, user: Any, usdc: int) -> int:
        """Deposit through an epoch and claim the shares."""
        self.request_deposit(user, usdc)
        self.process()
        shares = self.vault.maxMint(user)
        self.vault.deposit(self.vault.maxDeposit(user), user, {"from": user})
        return shares

    def gain(self, usd: int) -> None:
        """Move cash (whole WAD USD) from the sponsor's account to the vault's, or back if negative."""
        self.house.trade([(self.vault, self.sponsor, usd, [])], {"from": self.admin})

    def sell_option(self, strike: int, size: int, premium: int, days: int = 30) -> int:
        """The vault sells a call to the sponsor against a premium (WAD USD). Gives back the expiry."""
        now = self.chain[-1].timestamp
        expiry = (now // 86_400 + days) * 86_400 + 8 * 3_600
        self.market.setSlice(expiry, flat_slice(0.8, expiry - now), {"from": self.admin})
        legs = [(series(expiry, strike, call=True), size)]
        self.house.trade([(self.vault, self.sponsor, premium, legs)], {"from": self.admin})
        return expiry

    def buy_back(self, size: int) -> None:
        """The vault closes part of its first leg for nothing."""
        legs = [(self.house.legsOf(self.vault)[0][0], -size)]
        self.house.trade([(self.vault, self.sponsor, 0, legs)], {"from": self.admin})

    def refresh_surface(self, expiry: int) -> None:
        """A commit, and a later second: nothing is processed at the time of a commit."""
        tau = expiry - self.chain[-1].timestamp
        self.market.setSlice(expiry, flat_slice(0.8, tau), {"from": self.admin})
        self.chain.sleep(1)

    def process_tx(self) -> Any:
        """End the epoch and process it. Gives back the transaction."""
        self.end_epoch()
        return self.vault.processEpoch({"from": self.sponsor})

    def give_base(self, wei: int) -> None:
        """WETH into the vault's account, from a venue that comes home."""
        self.venue.setPosition(wei, 0, {"from": self.admin})
        self.house.unwindVenue(self.venue, {"from": self.admin})

    def cash(self) -> int:
        return self.house.accountOf(self.vault)[0]

    def chain_code(self, contract: Any) -> bytes:
        """The code as it lies on the chain."""
        return bytes(web3.eth.get_code(contract.address))

    def check_books(self) -> None:
        """I-02: what the vault holds is what it owes, to the unit, and claims never exceed it."""
        pending, claimable = self.vault.held()
        assert self.usdc.balanceOf(self.vault) == pending + claimable


def deploy(project: Any, accounts: Any, chain: Any) -> VaultWorld:
    """Everything fresh; the sponsor holds a fat account at the Clearinghouse."""
    admin, sponsor = accounts[0], accounts[1]
    by_admin = {"from": admin}
    usdc = project.MockVaultUsdc.deploy(by_admin)
    weth = project.MockVaultUsdc.deploy(by_admin)
    market = project.MockVaultMarket.deploy(by_admin)
    market.setSpot(2_000 * WAD, by_admin)
    manager = project.MockVaultAuthority.deploy(admin, by_admin)
    engine = project.RiskEngine.deploy(manager, market, market, MARGIN, by_admin)
    marks = project.BookMarks.at(engine.bookMarks())
    house = project.Clearinghouse.deploy(manager, usdc, weth, market, engine, ETH, by_admin)
    vault = project.DeskVault.deploy(manager, house, market, market, ETH, PARAMETERS, by_admin)
    lens = project.AccountLens.deploy(house, by_admin)
    house.setVault(vault, admin, by_admin)
    house.setMarket(admin, 1, by_admin)
    usdc.mint(sponsor, 10**9 * USD, by_admin)
    usdc.approve(house, 2**256 - 1, {"from": sponsor})
    house.depositCash(10**9 * USD, {"from": sponsor})
    share = project.VaultShare.at(vault.share())
    manager.setTargetFunctionRole(house, [house.unwindVenue.signature], LIQUIDATOR, by_admin)
    for holder in (vault, admin):
        manager.grantRole(LIQUIDATOR, holder, 0, by_admin)
    venue = project.MockVenue.deploy(usdc, weth, house, 2_000 * WAD, by_admin)
    house.setVenue(venue, True, by_admin)
    tokens = usdc, weth
    return VaultWorld(
        chain,
        admin,
        sponsor,
        *tokens,
        market,
        manager,
        house,
        lens,
        vault,
        share,
        engine,
        marks,
        venue,
    )
