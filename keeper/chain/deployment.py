"""deployments/<chain id>.json as the keeper sees it: which contracts, which venues, which chain."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from keeper.chain.client import NodeClient
from keeper.errors import ConfigError, Halt
from keeper.models import VenueKind

REQUIRED = (
    "Clearinghouse",
    "AccountLens",
    "MarketOracle",
    "VolSurface",
    "HedgeManager",
    "DeskVault",
)
MULTICALL = "multicall3"


def _address(value: str) -> str:
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", value):
        raise ValueError("must be an address: 0x and 40 hexadecimal digits")
    return value


def _block_hash(value: str) -> str:
    if not re.fullmatch(r"0x[0-9a-fA-F]{64}", value):
        raise ValueError("must be a hash: 0x and 64 hexadecimal digits")
    return value.lower()


Address = Annotated[str, AfterValidator(_address)]


class _Part(BaseModel):
    # The record carries more (the deployment's own journal): what is not read here is not judged here.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Venue(_Part):
    """A registered hedge venue. `fee` is a share of the notional: 0.0005 is five basis points."""

    address: Address
    kind: VenueKind
    fee: float = Field(ge=0.0, lt=0.1)


class Deployment(_Part):
    """One deployment on one chain."""

    chain_id: int = Field(gt=0)
    genesis_hash: Annotated[str, AfterValidator(_block_hash)]
    complete: bool = True
    deployed_block: int | None = None
    underlying: int = Field(default=1, gt=0, lt=2**16)
    contracts: Mapping[str, Address]
    external: Mapping[str, Any] = Field(default_factory=dict)
    venues: tuple[Venue, ...] = ()

    @classmethod
    def load(cls, path: Path) -> Deployment:
        """Reads and validates; ConfigError names the key at fault and what to do."""
        try:
            record = cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise ConfigError(
                f"{path} does not exist: deploy first, or correct [chain] deployment"
            ) from None
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error}") from error
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, f['loc'])) or 'file'}: {f['msg']}" for f in error.errors()
            )
            raise ConfigError(f"{path} is not a deployment record: {faults}") from error
        record._require_usable(str(path))
        return record

    def address(self, contract: str) -> str:
        """Address of one of our contracts."""
        try:
            return self.contracts[contract]
        except KeyError:
            raise ConfigError(f"the deployment record names no {contract}: deploy again") from None

    @property
    def multicall(self) -> str:
        """Address of Multicall3, which the deployment lists with its contracts or its external parts."""
        for name, address in (*self.contracts.items(), *self.external.items()):
            if name.lower() == MULTICALL and isinstance(address, str):
                return _address(address)
        raise ConfigError("the deployment record names no Multicall3: add its address to external")

    def require_chain(self, node: NodeClient) -> None:
        """Halt unless `node` serves the very chain that the record is about."""
        node.require_chain(self.chain_id)
        genesis = node.head(0).hash.lower()
        if genesis != self.genesis_hash:
            raise Halt(
                f"the deployment record is of a chain with genesis {self.genesis_hash}, {node.where} has "
                f"{genesis}: the chain was started anew or is another one; deploy there, or change the url"
            )

    def _require_usable(self, source: str) -> None:
        missing = [name for name in REQUIRED if name not in self.contracts]
        if missing:
            raise ConfigError(f"{source} names no {', '.join(missing)}: finish the deployment")
        if not self.complete:
            raise ConfigError(f"{source} is of an unfinished deployment: run it again, it resumes")
        try:
            self.multicall  # noqa: B018
        except (ConfigError, ValueError) as error:
            raise ConfigError(f"{source}: {error}") from None
