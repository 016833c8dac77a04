"""DeskVault in plain Python: the same rules from the same words, in exact integers, without its data structures.

USDC in units of 1e-6, shares and NAV in WAD. A claimable amount is the difference between what a request's part of its
id has become and what was claimed of it.
"""

from dataclasses import dataclass, field

WAD = 10**18
SCALE = 10**12
MAX_IDS = 8
MAX_OPEN = 16


def ceil_div(a: int, b: int) -> int:
    return -(-a // b)


@dataclass
class Request:
    """One controller's part of one id."""

    units: int = 0
    claimed_in: int = 0
    claimed_out: int = 0


@dataclass
class Batch:
    """One id: what was asked, by whom, and what has been filled."""

    filled: int = 0
    output: int = 0
    requests: dict[str, Request] = field(default_factory=dict)

    @property
    def units(self) -> int:
        return sum(r.units for r in self.requests.values())

    @property
    def pending(self) -> int:
        return self.units - self.filled

    def claimable(self, user: str) -> tuple[int, int]:
        r = self.requests.get(user)
        if r is None or self.filled == 0:
            return 0, 0
        inputs = ceil_div(self.filled * r.units, self.units) - r.claimed_in
        return inputs, self.output * r.units // self.units - r.claimed_out


@dataclass
class Queue:
    """Ids by number; the oldest unfilled ones are looked at first, at most MAX_IDS a time."""

    head: int = 1
    batches: dict[int, Batch] = field(default_factory=dict)

    def add(self, user: str, request_id: int, amount: int) -> None:
        batch = self.batches.setdefault(request_id, Batch())
        batch.requests.setdefault(user, Request()).units += amount

    def can_add(self, user: str, request_id: int) -> bool:
        ids = [i for i, b in self.batches.items() if self._open(b, user)]
        return request_id in ids or len(ids) < MAX_OPEN

    def _open(self, batch: Batch, user: str) -> bool:
        r = batch.requests.get(user)
        if r is None:
            return False
        return batch.pending > 0 or any(batch.claimable(user))

    def in_view(self, epoch: int) -> list[int]:
        return list(range(self.head, min(epoch + 1, self.head + MAX_IDS)))

    def pending(self, user: str, request_id: int) -> int:
        batch = self.batches.get(request_id)
        r = batch.requests.get(user) if batch else None
        if batch is None or r is None:
            return 0
        return r.units - r.claimed_in - batch.claimable(user)[0]

    def totals(self, user: str) -> tuple[int, int]:
        pairs = [b.claimable(user) for b in self.batches.values()]
        return sum(i for i, _ in pairs), sum(o for _, o in pairs)

    def claim(self, user: str, amount: int, *, by_input: bool) -> tuple[int, int]:
        """Oldest id first; what is given up rounds up, what is paid rounds down."""
        got_in = got_out = 0
        left = amount
        for _, batch in sorted(self.batches.items()):
            if left == 0:
                break
            inputs, outputs = batch.claimable(user)
            whole = inputs if by_input else outputs
            if left < whole:
                if by_input:
                    inputs, outputs = left, outputs * left // inputs
                else:
                    inputs, outputs = ceil_div(inputs * left, outputs), left
                left = 0
            else:
                left -= whole
            if inputs or outputs:
                batch.requests[user].claimed_in += inputs
                batch.requests[user].claimed_out += outputs
            got_in += inputs
            got_out += outputs
        assert left == 0, "the test asked for more than is claimable"
        return got_in, got_out


@dataclass(frozen=True)
class Flows:
    """What one epoch did."""

    assets_in: int = 0
    minted: int = 0
    burned: int = 0
    assets_out: int = 0


@dataclass
class Account:
    """The vault's clearing account before an epoch, all WAD."""

    mid: int
    bid: int
    ask: int
    cash: int
    surplus: int

    def free(self, assets_in: int) -> int:
        """USDC units that can leave once `assets_in` units have come in."""
        free = min(self.cash, self.surplus) + assets_in * SCALE
        return max(0, free) // SCALE


@dataclass
class VaultModel:
    """The vault's books."""

    epoch: int = 1
    supply: int = 0
    claimable_assets: int = 0
    deposits: Queue = field(default_factory=Queue)
    redemptions: Queue = field(default_factory=Queue)

    def value(self, shares: int, nav: int) -> int:
        """USDC units that a redemption at `nav` pays."""
        if nav < self.supply:
            return shares * nav // self.supply // SCALE
        return shares * (nav + WAD) // (self.supply + WAD) // SCALE

    def process(self, account: Account) -> Flows:
        assets_in = minted = 0
        if account.mid > 0 or (account.mid == 0 and self.supply == 0):
            for request_id in self.deposits.in_view(self.epoch):
                self.deposits.head = request_id + 1
                batch = self.deposits.batches.get(request_id)
                if batch is None or not batch.pending:
                    continue
                assets = batch.pending
                batch.filled = assets
                batch.output = assets * SCALE * (self.supply + WAD) // (account.ask + WAD)
                assets_in += assets
                minted += batch.output
        burned, assets_out = self._redeem(account, account.free(assets_in))
        self.supply += minted - burned
        self.claimable_assets += assets_out
        self.epoch += 1
        return Flows(assets_in, minted, burned, assets_out)

    def _redeem(self, account: Account, cash: int) -> tuple[int, int]:
        burned = paid = 0
        if account.bid <= 0 or self.value(WAD, account.bid) == 0:
            return burned, paid
        for request_id in self.redemptions.in_view(self.epoch):
            batch = self.redemptions.batches.get(request_id)
            shares = batch.pending if batch else 0
            if batch is not None and shares:
                assets = self.value(shares, account.bid)
                short = assets > cash
                if short and cash == 0:
                    break
                if short:
                    shares, assets = ceil_div(shares * cash, assets), cash
                batch.filled += shares
                batch.output += assets
                cash -= assets
                burned += shares
                paid += assets
                if short:
                    break
            self.redemptions.head = request_id + 1
        return burned, paid
