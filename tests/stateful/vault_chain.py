"""A vault over the real Clearinghouse and RiskEngine in this process; price, surface and token are set by hand."""

from tests.stateful.revm import Chain, Contract, Reverted, account
from tests.stateful.vault_model import WAD, Account

USD = 10**6
DAY = 86_400
EPOCH = DAY
WINDOW = EPOCH // 2
MISSED = 3
MIN_DEPOSIT = USD
MIN_REDEEM = 10**12
MANAGEMENT, PERFORMANCE = 2 * 10**16, 10**17
WIDTH = (2 * 10**16, 10**15, 10**15, 10**15)
FEES = (MANAGEMENT, PERFORMANCE)
PARAMETERS = (EPOCH, WINDOW, 3_600, MISSED, MIN_DEPOSIT, MIN_REDEEM, *WIDTH, *FEES)
MARGIN = tuple(share * 10**16 for share in (20, 30, 20, 50, 35, 3, 1, 5, 75))
Q44 = 1 << 44
VARIANCE = 0.64
ADMIN = account(0)
SPONSOR = account(1)
RECIPIENT = account(2)
USERS = [account(n) for n in range(3, 24)]
RICH = 10**9 * USD


class VaultChain:
    """`ADMIN` is governance and also a market; `SPONSOR` takes the other side of every trade."""

    def __init__(self) -> None:
        chain = Chain(ADMIN)
        self.chain = chain
        self.usdc = chain.deploy("MockVaultUsdc")
        self.weth = chain.deploy("MockVaultUsdc")
        self.market = chain.deploy("MockVaultMarket")
        self.market.setSpot(2_000 * WAD, sender=ADMIN)
        manager = chain.deploy("MockVaultAuthority", ADMIN).address
        at = self.market.address
        self.engine = chain.deploy("RiskEngine", manager, at, at, MARGIN)
        self.marks = Contract(chain, "BookMarks", self.engine.bookMarks())
        tokens = (self.usdc.address, self.weth.address)
        self.house = chain.deploy("Clearinghouse", manager, *tokens, at, self.engine.address, 1)
        self.lens = chain.deploy("AccountLens", self.house.address)
        self.vault = chain.deploy("DeskVault", manager, self.house.address, at, at, 1, PARAMETERS)
        self.share = Contract(chain, "VaultShare", self.vault.share())
        self.valuer = Contract(chain, "Valuer", self.vault.valuer())
        self.vault.setFeeRecipient(RECIPIENT, sender=ADMIN)
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
        value = self.valuer.value(self.vault.address, PARAMETERS)
        return Account(*value, self.cash, marked - initial)

    def trade(self, premium: int, size: int = 0) -> bool:
        """The vault receives `premium` and sells `size` calls; False where margin or cash forbids it."""
        legs = [(1 << 112 | self.expiry << 72 | 2_200 * 10**8 << 8 | 1, size)] if size else []
        try:
            self.house.trade([(self.vault.address, SPONSOR, premium, legs)], sender=ADMIN)
        except Reverted as refused:
            if refused.name in ("BelowInitialMargin", "CashShort"):
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

    def slice(self, bend: float = 1.0) -> int:
        """A packed slice of the usual volatility, its variance bent by a factor."""
        variance = round(VARIANCE * bend * (self.expiry - self.chain.now) / (365 * DAY) * Q44)
        return variance << 204 | Q44 // 1000

    def refresh_surface(self, bend: float = 1.0) -> None:
        """Commit for the open expiry; the reference slice stays honest."""
        if self.expiry:
            self.market.setSlice(self.expiry, self.slice(bend), sender=ADMIN)
            honest = self.slice() if bend != 1.0 else 0
            self.market.setReference(self.expiry, honest, sender=ADMIN)
