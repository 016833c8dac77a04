"""The desk's stances on a schedule: the signal of implied against forecast volatility, sent by the quoter's own key."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from keeper.chain.bindings import binding
from keeper.chain.client import NodeClient
from keeper.chain.deployment import Deployment
from keeper.chain.keystore import Signer
from keeper.errors import GammadeskError, Halt, SkipTick
from keeper.execution.records import Outcome, OutcomeKind
from keeper.runtime.alerts import Alerts
from keeper.runtime.assembly import Desk, sender_of
from keeper.runtime.metrics import Metrics
from keeper.runtime.ports import TxSender
from keeper.runtime.stances import signals_now, stances_job

WHAT = "setStances"
_GOOD = (OutcomeKind.NOTHING, OutcomeKind.DRY_RUN, OutcomeKind.MINED_SUCCESS)


@dataclass(frozen=True, slots=True)
class Stancer:
    """One run reads the surface and the candles and sets the stances of every expiry that can be judged."""

    desk: Desk
    sender: TxSender
    metrics: Metrics
    alerts: Alerts

    def run(self) -> Outcome:
        """What it raises has been logged and counted; without a signal the desk's stances grow old and neutral."""
        log = structlog.get_logger("stances")
        try:
            outcome = self._once()
        except GammadeskError as error:
            self.metrics.errors.labels(type(error).__name__).inc()
            log.error("stances not set", error=type(error).__name__, reason=str(error))
            if isinstance(error, Halt):
                self.alerts.send("Gammadesk keeper halted", str(error))
            raise
        self.metrics.observe_chore(WHAT, outcome)
        log.info("stances", outcome=outcome.kind.value, detail=outcome.detail, tx=outcome.tx_hash)
        if outcome.kind not in _GOOD:
            self.alerts.send("Gammadesk keeper: stances not set", outcome.detail)
        return outcome

    def _once(self) -> Outcome:
        if any(o.kind is OutcomeKind.UNRESOLVED for o in self.sender.reconcile()):
            return Outcome(OutcomeKind.NOTHING, "an intent is open: it goes first")
        desk = self.desk
        signals = signals_now(desk)
        head, now_s = desk.node.head(), desk.clock.now()
        job = stances_job(signals, desk.deployment, desk.journal.chain, head, now_s)
        try:
            return self.sender.send(job)
        except SkipTick as error:
            return Outcome(OutcomeKind.DENIED, str(error))


def build_stancer(desk: Desk, signer: Signer | None, metrics: Metrics, alerts: Alerts) -> Stancer:
    """Live with the quoter's signer, a dry run without. Halt when the signer is not the desk's quoter."""
    quoter = quoter_on_chain(desk.node, desk.deployment)
    if signer is not None and signer.address.lower() != quoter.lower():
        raise Halt(
            f"[stances] keystore is of {signer.address}, the desk takes stances from {quoter}: "
            f"use that key, or set interval_s = 0"
        )
    return Stancer(desk, sender_of(desk, signer, quoter), metrics, alerts)


def quoter_on_chain(node: NodeClient, deployment: Deployment) -> str:
    """The address that the desk takes stances from."""
    codec = binding("OptionDesk")
    asked = codec.encode("quoter")
    answer = node.call(deployment.address("OptionDesk"), asked, "latest", "OptionDesk.quoter")
    return str(codec.decode("quoter", answer)[0])
