"""One deployment from beginning to end, on a development chain or on a configured network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from web3 import Web3

from keeper.errors import Halt
from scripts.deployment.artifacts import ROOT, Artifact, own
from scripts.deployment.development import (
    Market,
    age_pool,
    deploy_guardian,
    deploy_surroundings,
)
from scripts.deployment.engine import StepRunner
from scripts.deployment.networks import (
    DEVELOPMENT_CHAIN_IDS,
    FOLDER,
    Operators,
    Roles,
    Sending,
    development_guardians,
    development_operators,
    load_network,
)
from scripts.deployment.parameters import Parameters, load_parameters
from scripts.deployment.preflight import Preflight
from scripts.deployment.record import DeploymentRecord, RecordFile, open_record, read_record
from scripts.deployment.rpc import Rpc
from scripts.deployment.senders import Sender, UnlockedSender
from scripts.deployment.wiring import Deployed, Design, deploy_core

DEPLOYMENTS = ROOT / "deployments"
DEVELOPMENT_SENDING = Sending(confirmations=1, timeout_s=60)


@dataclass(frozen=True, slots=True)
class Options:
    """Where the record goes, which parameters and artifacts to use, who hears of progress."""

    folder: Path = DEPLOYMENTS
    networks: Path = FOLDER
    parameters: Parameters | None = None
    artifact: Callable[[str], Artifact] = own
    say: Callable[[str], None] = print

    def chosen_parameters(self) -> Parameters:
        """Given ones, or those of the networks folder."""
        return self.parameters or load_parameters(self.networks / "parameters.toml")


def deploy_development(
    web3: Web3,
    *,
    sender: Sender | None = None,
    operators: Operators | None = None,
    market: Market | None = None,
    options: Options | None = None,
    keep_admin: bool = False,
) -> DeploymentRecord:
    """Everything on anvil or Ganache, the protocols it stands on included. Resumes what was begun.

    Without `sender` and `operators`: the node's first account deploys, the second is keeper. The guardian is a Safe
    of the node's last three. `keep_admin`, for benches, leaves governance with the deployer.
    """
    options = options or Options()
    parameters = options.chosen_parameters()
    rpc = Rpc(web3)
    chain_id = rpc.number("eth_chainId")
    if chain_id not in DEVELOPMENT_CHAIN_IDS:
        raise Halt(
            f"{rpc.where} has chain id {chain_id}, a development chain has one of "
            f"{sorted(DEVELOPMENT_CHAIN_IDS)}: name the network, or connect to anvil or Ganache"
        )
    sender = sender or UnlockedSender(rpc)
    accounts = rpc("eth_accounts")
    operators = operators or development_operators(accounts)
    with open_record(options.folder, rpc, "development", True, sender.address) as records:
        run = _runner(rpc, sender, records, DEVELOPMENT_SENDING, options)
        there = deploy_surroundings(run, market or Market())
        records.record.external = dict(there.addresses)
        if not records.record.complete:
            age_pool(rpc, there.external.uniswap_pool, parameters.oracle.twap_window_s)
            Preflight(rpc, there.external, there.expected, parameters.oracle).run()
        guardian = deploy_guardian(run, development_guardians(accounts))
        roles = Roles(guardian=guardian, **operators.model_dump())
        design = Design(
            there.external, there.expected, parameters, roles, options.artifact, keep_admin
        )
        return _finish(records, design, deploy_core(run, design))


def deploy_configured(
    web3: Web3,
    name: str,
    open_sender: Callable[[], Sender],
    options: Options | None = None,
) -> DeploymentRecord:
    """The desk on the network of scripts/networks/<name>.toml. Resumes what was begun.

    What can be refused is refused before `open_sender` asks for a password, before the first
    transaction and before any file is written.
    """
    options = options or Options()
    network = load_network(name, options.networks)
    parameters = options.chosen_parameters()
    rpc = Rpc(web3)
    chain_id = rpc.number("eth_chainId")
    if chain_id != network.chain_id:
        raise Halt(
            f"{rpc.where} has chain id {chain_id}, network {name} has {network.chain_id}: "
            f"connect to the right node"
        )
    path = options.folder / f"{chain_id}.json"
    if not (path.exists() and read_record(path).complete):
        guardian = network.roles.guardian
        Preflight(rpc, network.external, network.expected, parameters.oracle, guardian).run()
    sender = open_sender()
    with open_record(options.folder, rpc, name, False, sender.address) as records:
        run = _runner(rpc, sender, records, network.sending, options)
        records.record.external = network.external.addresses()
        design = Design(
            network.external, network.expected, parameters, network.roles, options.artifact
        )
        return _finish(records, design, deploy_core(run, design))


def _runner(
    rpc: Rpc, sender: Sender, records: RecordFile, sending: Sending, options: Options
) -> StepRunner:
    return StepRunner(
        rpc,
        sender,
        records,
        confirmations=sending.confirmations,
        timeout_s=sending.timeout_s,
        say=options.say,
    )


def _finish(records: RecordFile, design: Design, deployed: Deployed) -> DeploymentRecord:
    record = records.record
    record.contracts = deployed.contracts
    record.venues = deployed.venues
    record.parameters = design.parameters.model_dump(mode="json")
    governor = deployed.contracts.get("DeskGovernor", record.deployer)
    record.roles = {"admin": governor, "governor": governor} | design.roles.model_dump()
    record.notes = (
        [f"admin of the AccessManager is still the deployer, {governor}: for benches only"]
        if design.keep_admin
        else []
    )
    record.deployed_block = record.steps["AccessManager"].block
    record.complete = True
    records.save()
    return record
