"""A vault over the real Clearinghouse and RiskEngine in this process; price, surface and token are set by hand."""

from tests.stateful.revm import Chain, Contract, Reverted, account
from tests.stateful.vault_model import WAD, Account

USD = 10**6
DAY = 86_400
EPOCH = DAY
MIN_DEPOSIT = USD
MIN_REDEEM = 10**12
PARAMETERS = (EPOCH, 3_600, MIN_DEPOSIT, MIN_REDEEM, 2 * 10**16, 10**15)
MARGIN = tuple(share * 10**16 for share in (20, 30, 20, 50, 35, 3, 1, 5, 75))
Q44 = 1 << 44
ADMIN = account(0)
SPONSOR = account(1)
USERS = [account(n) for n in range(2, 7)]
RICH = 10**9 * USD


class VaultChain:
    """`ADMIN` is governance and also a market; `SPONSOR` takes the other side of every trade."""

    def __init__(self) -> None:
        chain = Chain(ADMIN)
        self.chain = chain
        self.usdc = chain.deploy("MockVaultUsdc")
        weth = chain.deploy("MockVaultUsdc")
        self.market = chain.deploy("MockVaultMarket")
        self.market.setSpot(2_000 * WAD, sender=ADMIN)
        manager = chain.deploy("MockVaultAuthority", ADMIN).address
        at = self.market.address
        engine = chain.deploy("RiskEngine", manager, at, at, MARGIN).address
        tokens = (self.usdc.address, weth.address)
        self.house = chain.deploy("Clearinghouse", manager, *tokens, at, engine, 1)
        self.lens = chain.deploy("AccountLens", self.house.address)
        self.vault = chain.deploy("DeskVault", manager, self.house.address, at, at, 1, PARAMETERS)
        self.share = Contract(chain, "VaultShare", self.vault.share())
        self.house.setVault(self.vault.address, ADMIN, sender=ADMIN)
        self.house.setMarket(ADMIN, 1, sender=ADMIN)
        self.expiry = 0
        self._fund(SPONSOR, self.house)
        self.house.depositCash(RICH, sender=SPONSOR)
        for user in USERS:
            self._fund(user, self.vault)

    def _fund(self, user: str, spender: Contract) -> None:
        self.usdc.mint(user, RICH, sender=ADMIN)
        self.usdc.approve(spender.address, 2**256 - 1, sender=user)

    @property
    def cash(self) -> int:
        """WAD USD in the vault's account."""
        return int(self.house.accountOf(self.vault.address)[0])

    def account(self) -> Account:
        """The vault's account now, as an epoch would find it."""
        marked, initial, _ = self.house.marginOf(self.vault.address, 0)
        nav = self.vault.navBid(), self.vault.navAsk()
        equity = self.lens.equityOf(self.vault.address)
        return Account(equity, *nav, self.cash, marked - initial)

    def trade(self, premium: int, size: int = 0) -> bool:
        """The vault receives `premium` and sells `size` calls; False where margin or cash forbids it."""
        legs = [(1 << 112 | self.expiry << 72 | 2_200 * 10**8 << 8 | 1, size)] if size else []
        try:
            self.house.trade([(self.vault.address, SPONSOR, premium, legs)], sender=ADMIN)
        except Reverted as refused:
            if "BelowInitialMargin" in refused.message or "CashShort" in refused.message:
                return False
            raise
        return True

    def sell_calls(self, size: int) -> None:
        self.expiry = (self.chain.now // DAY + 45) * DAY + 8 * 3_600
        self.refresh_surface()
        if not self.trade(0, size):
            self.expiry = 0

    def buy_calls_back(self) -> None:
        [(_, size)] = self.house.legsOf(self.vault.address)
        assert self.trade(0, size)
        self.expiry = 0

    def refresh_surface(self) -> None:
        """Commit a volatility of 0.8 for the open expiry."""
        if self.expiry:
            variance = round(0.64 * (self.expiry - self.chain.now) / (365 * DAY) * Q44)
            self.market.setSlice(self.expiry, variance << 204 | Q44 // 1000, sender=ADMIN)
