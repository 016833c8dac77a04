"""DeskVault in plain Python: the same rules from the same words, in exact integers, without its data structures.

USDC in units of 1e-6, shares and NAV in WAD. A claimable amount is the difference between what a request's part of its
id has become and what was claimed of it; what is cancelled leaves its id and belongs to its controller alone.
"""

from dataclasses import dataclass, field

WAD = 10**18
SCALE = 10**12
MAX_IDS = 8
YEAR = 365 * 86_400


def ceil_div(a: int, b: int) -> int:
    return -(-a // b)


@dataclass
class Request:
    """One controller's part of one id, and what he has cancelled of it: `back` returns, the rest was filled before."""

    units: int = 0
    claimed_in: int = 0
    claimed_out: int = 0
    back: int = 0
    left_in: int = 0
    left_out: int = 0


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

    def live(self, user: str) -> tuple[int, int]:
        """Claimable of what was not cancelled."""
        r = self.requests.get(user)
        if r is None or self.filled == 0 or r.units == 0:
            return 0, 0
        inputs = max(0, ceil_div(self.filled * r.units, self.units) - r.claimed_in)
        return inputs, self.output * r.units // self.units - r.claimed_out

    def claimable(self, user: str) -> tuple[int, int]:
        r = self.requests.get(user, Request())
        inputs, outputs = self.live(user)
        return r.left_in + inputs, r.left_out + outputs

    def pending_of(self, user: str) -> int:
        r = self.requests.get(user)
        return r.units - r.claimed_in - self.live(user)[0] if r else 0

    def cancel(self, user: str) -> int:
        """His units, filled input and output leave the id. Gives back what was pending."""
        r = self.requests[user]
        part_in = part_out = 0
        if self.filled:
            part = ceil_div(self.filled * r.units, self.units)
            part_in = min(max(part, r.claimed_in), self.filled)
            part_out = self.output * r.units // self.units
        back = r.units - part_in
        self.filled -= part_in
        self.output -= part_out
        r.left_in += max(0, part_in - r.claimed_in)
        r.left_out += part_out - r.claimed_out
        r.back += back
        r.units = r.claimed_in = r.claimed_out = 0
        return back


@dataclass
class Queue:
    """Ids by number; the oldest unfilled ones are looked at first, at most MAX_IDS a time."""

    head: int = 1
    batches: dict[int, Batch] = field(default_factory=dict)

    def add(self, user: str, request_id: int, amount: int) -> None:
        batch = self.batches.setdefault(request_id, Batch())
        batch.requests.setdefault(user, Request()).units += amount

    def in_view(self, epoch: int) -> list[int]:
        return list(range(self.head, min(epoch + 1, self.head + MAX_IDS)))

    def waiting(self, user: str) -> list[int]:
        """Ids of which the user has something pending."""
        return [i for i, b in self.batches.items() if b.pending_of(user)]

    def returning(self, user: str) -> dict[int, int]:
        """What the user can take back by id."""
        parts = {i: b.requests[user].back for i, b in self.batches.items() if user in b.requests}
        return {i: back for i, back in parts.items() if back}

    @property
    def pending(self) -> int:
        return sum(b.pending for b in self.batches.values())

    @property
    def back(self) -> int:
        return sum(r.back for b in self.batches.values() for r in b.requests.values())

    @property
    def parts(self) -> int:
        """Requests that were ever made: each can leave a unit of dust."""
        return sum(len(b.requests) for b in self.batches.values())

    def totals(self, user: str) -> tuple[int, int]:
        pairs = [b.claimable(user) for b in self.batches.values() if user in b.requests]
        return sum(i for i, _ in pairs), sum(o for _, o in pairs)

    def claim(self, user: str, amount: int, *, by_input: bool) -> tuple[int, int]:
        """Oldest id first; what is given up rounds up, what is paid rounds down."""
        got_in = got_out = 0
        left = amount
        for _, batch in sorted(self.batches.items()):
            r = batch.requests.get(user)
            for cancelled in (True, False) if r else ():
                inputs, outputs = (r.left_in, r.left_out) if cancelled else batch.live(user)
                inputs, outputs, left = _take(inputs, outputs, left, by_input=by_input)
                if cancelled:
                    r.left_in -= inputs
                    r.left_out -= outputs
                else:
                    r.claimed_in += inputs
                    r.claimed_out += outputs
                got_in += inputs
                got_out += outputs
        assert left == 0, "the test asked for more than is claimable"
        return got_in, got_out


def _take(inputs: int, outputs: int, left: int, *, by_input: bool) -> tuple[int, int, int]:
    """As much of a position as is still wanted, and what is wanted after it."""
    if left == 0:
        return 0, 0, 0
    whole = inputs if by_input else outputs
    if left >= whole:
        return inputs, outputs, left - whole
    if by_input:
        return left, outputs * left // inputs, 0
    return ceil_div(inputs * left, outputs), left, 0


@dataclass(frozen=True)
class Flows:
    """What one epoch did."""

    fees: int = 0
    assets_in: int = 0
    minted: int = 0
    burned: int = 0
    assets_out: int = 0


@dataclass(frozen=True)
class Account:
    """The vault's clearing account before an epoch, all WAD and signed."""

    low: int
    high: int
    width: int
    cash: int
    surplus: int

    @property
    def bid(self) -> int:
        return self.low - self.width

    @property
    def ask(self) -> int:
        return self.high + self.width

    @property
    def mid(self) -> int:
        total = self.bid + self.ask
        return total // 2 if total >= 0 else -(-total // 2)

    @property
    def free(self) -> int:
        """USDC units that can leave."""
        return max(0, min(self.cash, self.surplus)) // SCALE


@dataclass
class VaultModel:
    """The vault's books. Fees as shares of a year and of a gain, WAD."""

    management: int
    performance: int
    processed_at: int
    epoch: int = 1
    supply: int = 0
    high_water: int = WAD
    claimable_assets: int = 0
    deposits: Queue = field(default_factory=Queue)
    redemptions: Queue = field(default_factory=Queue)

    def worth(self, shares: int, nav: int) -> int:
        """WAD USD that a redemption at `nav` fetches."""
        if nav < self.supply:
            return shares * nav // self.supply
        return shares * (nav + WAD) // (self.supply + WAD)

    def value(self, shares: int, nav: int) -> int:
        return self.worth(shares, nav) // SCALE

    def process(self, account: Account, now: int) -> Flows:
        fees = self.take_fees(max(0, account.bid), now)
        flows = self._deposit(account)
        assets_in, minted = flows
        burned, assets_out = self._redeem(account, assets_in)
        self.supply += minted - burned
        self.claimable_assets += assets_out
        self.epoch += 1
        return Flows(fees, assets_in, minted, burned, assets_out)

    def take_fees(self, bid: int, now: int) -> int:
        """Management first, then performance on the rise that is left."""
        elapsed, self.processed_at = now - self.processed_at, now
        if self.supply == 0 or bid == 0:
            price = self.worth(WAD, bid)
            self.high_water = price if self.supply == 0 else max(price, self.high_water)
            return 0
        fees = self.supply * self.management * elapsed // (YEAR * WAD)
        self.supply += fees
        price = self.worth(WAD, bid)
        if price > self.high_water:
            gain = self.supply * (price - self.high_water) // WAD
            due = gain * self.performance // WAD
            more = self.supply * due // (bid - due)
            fees += more
            self.supply += more
            self.high_water = self.worth(WAD, bid)
        return fees

    def _deposit(self, account: Account) -> tuple[int, int]:
        assets_in = minted = 0
        if account.mid < 0 or (account.mid == 0 and self.supply):
            return assets_in, minted
        for request_id in self.deposits.in_view(self.epoch):
            self.deposits.head = request_id + 1
            batch = self.deposits.batches.get(request_id)
            if batch is None or not batch.pending:
                continue
            assets = batch.pending
            batch.filled += assets
            shares = assets * SCALE * (self.supply + WAD) // (max(0, account.ask) + WAD)
            batch.output += shares
            assets_in += assets
            minted += shares
        return assets_in, minted

    def _redeem(self, account: Account, assets_in: int) -> tuple[int, int]:
        """Out of the epoch's deposits, then out of what is free."""
        burned = paid = 0
        if account.bid <= 0 or self.value(WAD, account.bid) == 0:
            return burned, paid
        view = self.redemptions.in_view(self.epoch)
        pending = {i: self.redemptions.batches.get(i, Batch()).pending for i in view}
        wanted = sum(self.value(shares, account.bid) for shares in pending.values())
        cash = wanted if wanted <= assets_in else assets_in + min(wanted - assets_in, account.free)
        for request_id, whole in pending.items():
            shares, assets = whole, self.value(whole, account.bid)
            short = assets > cash
            if short and cash == 0:
                break
            if short:
                shares, assets = ceil_div(shares * cash, assets), cash
            if shares:
                batch = self.redemptions.batches[request_id]
                batch.filled += shares
                batch.output += assets
            cash -= assets
            burned += shares
            paid += assets
            if short:
                break
            self.redemptions.head = request_id + 1
        return burned, paid
