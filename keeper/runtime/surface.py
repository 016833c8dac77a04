"""Volatility slices from a file to a checked commit."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from keeper.chain.bindings import binding
from keeper.chain.calls import SliceInput, commit_data
from keeper.chain.client import NodeClient
from keeper.chain.deployment import Deployment
from keeper.chain.surface_state import SurfaceState
from keeper.errors import DataError, PricingError
from keeper.execution.records import Job
from keeper.models import SviSlice
from keeper.pricing.contract_surface import ContractRules, contract_checks
from keeper.pricing.surface_nearest import CommitTerms, Input, NearestCommit, nearest_commit
from keeper.pricing.svi import pack_floats, slice_from_word
from keeper.runtime.codec import digest, to_json
from keeper.units import decode_series, from_wad, to_wad_toward_zero

DEADLINE_S = 300
# Static arbitrage is looked for where the contract looks, and between: beyond, nobody quotes. What volatility and carry
# may be is the contract's to say.
COMMIT_RULES = ContractRules(
    min_vol=0.0,
    max_vol=10.0,
    max_carry=1.0,
    butterfly_grid=tuple(0.125 * i for i in range(-24, 25)),
    calendar_grid=tuple(0.125 * i for i in range(-16, 17)),
)


def _unix_seconds(value: object) -> object:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    return value


class SliceEntry(BaseModel):
    """Raw SVI of one expiry: total variance until expiry, and an annualised carry."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    expiry: Annotated[int, BeforeValidator(_unix_seconds)]
    a: float
    b: float
    rho: float
    m: float
    sigma: float
    carry: float = 0.0

    def as_slice(self, committed_at_s: int) -> SviSlice:
        """As committed at a moment."""
        return SviSlice(
            self.expiry, self.a, self.b, self.rho, self.m, self.sigma, self.carry, committed_at_s
        )


class SurfaceFile(BaseModel):
    """The whole file: `slices` in TOML ([[slices]]) or JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slices: tuple[SliceEntry, ...] = Field(min_length=1)

    @classmethod
    def load(cls, path: Path) -> SurfaceFile:
        """Reads a .toml or .json file; DataError names the entry at fault."""
        try:
            return cls.model_validate(_tree(path))
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in error.errors()
            )
            raise DataError(f"{path}: {faults}") from None


def _tree(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except FileNotFoundError:
        raise DataError(
            f"{path} does not exist: write [[slices]] with expiry, a, b, rho, m, sigma"
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as TOML or JSON: {error}") from None


def wanted_slices(surface: SurfaceFile, now_s: int) -> tuple[SviSlice, ...]:
    """Ascending, as of now. DataError when one has expired or the surface holds static arbitrage."""
    ordered = sorted(surface.slices, key=lambda entry: entry.expiry)
    late = [entry.expiry for entry in ordered if entry.expiry <= now_s]
    if late:
        raise DataError(f"expiries {late} are not after {now_s}: leave them out")
    slices = tuple(entry.as_slice(now_s) for entry in ordered)
    faults = contract_checks(slices, COMMIT_RULES, now_s)
    if faults:
        raise DataError("the surface is not committed: " + "; ".join(faults))
    return slices


def commit_inputs(slices: Sequence[SviSlice], terms: CommitTerms) -> tuple[Input, ...]:
    """The slices as they are. DataError with all that the contract would refuse."""
    inputs = tuple(
        (s.expiry_s, pack_floats(s.a, s.b, s.rho, s.m, s.sigma), to_wad_toward_zero(s.carry))
        for s in slices
    )
    faults = terms.faults(inputs)
    if faults:
        raise DataError(
            "the surface is not committed: "
            + "; ".join(faults)
            + ". --nearest commits what is nearest to it"
        )
    return inputs


def nearest_inputs(slices: Sequence[SviSlice], terms: CommitTerms) -> NearestCommit:
    """What the contract takes that is nearest to the slices. DataError where that is nothing."""
    try:
        found = nearest_commit(slices, terms)
    except PricingError as error:
        raise DataError(
            f"the surface is not committed: {error}. Governance can free an expiry (resetAnchor)"
        ) from None
    if not found.inputs:
        reasons = "; ".join(found.left_out.values())
        raise DataError(f"the surface is not committed: no expiry is left of it: {reasons}")
    return found


def commit_job(
    inputs: Sequence[Input], state: SurfaceState, deployment: Deployment, chain: str, now_s: int
) -> Job:
    """A commit with the oracle's spot of the state's block as its reference."""
    head = state.head
    target = deployment.address("VolSurface")
    key = f"surface:{deployment.underlying}:{target.lower()}"
    seen = digest([head.hash, state.spot_wad])
    packed = tuple(SliceInput(*one) for one in inputs)
    slices = to_json(packed)
    return Job(
        work_id=digest([chain, key, seen, slices]),
        key=key,
        what="VolSurface.commit",
        to=target,
        data=commit_data(deployment.underlying, state.spot_wad, packed),
        block_number=head.number,
        deadline_s=max(now_s, head.timestamp_s) + DEADLINE_S,
        snapshot_hash=seen,
        plan=to_json({"reference_spot_wad": str(state.spot_wad)}),
        orders=slices,
    )


def committer_on_chain(node: NodeClient, deployment: Deployment) -> str:
    """The address that the surface takes commits from."""
    codec = binding("VolSurface")
    data = codec.encode("committer")
    answer = node.call(deployment.address("VolSurface"), data, "latest", "VolSurface.committer")
    return str(codec.decode("committer", answer)[0])


def write_slices(slices: Sequence[SviSlice], path: Path) -> None:
    """A surface file, .toml or .json, that `SurfaceFile.load` reads back to the last bit."""
    names = ("a", "b", "rho", "m", "sigma", "carry")
    entries = [{"expiry": s.expiry_s} | {name: getattr(s, name) for name in names} for s in slices]
    if path.suffix == ".json":
        text = json.dumps({"slices": entries}, indent=1) + "\n"
    elif path.suffix == ".toml":
        blocks = ("\n".join(f"{key} = {value!r}" for key, value in e.items()) for e in entries)
        text = "\n".join(f"[[slices]]\n{block}\n" for block in blocks)
    else:
        raise DataError(f"{path}: a surface file is .toml or .json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def slices_on_chain(node: NodeClient, deployment: Deployment) -> tuple[SviSlice, ...]:
    """The slices of the desk's listed live expiries at the latest block, ascending; DataError when there is none."""
    head = node.head()

    def ask(contract: str, function: str, *arguments: object) -> Any:
        codec = binding(contract)
        data = codec.encode(function, *arguments)
        target = deployment.address(contract)
        return codec.decode(
            function, node.call(target, data, head.number, f"{contract}.{function}")
        )[0]

    listed = (decode_series(series) for series in ask("OptionDesk", "listed"))
    expiries = sorted(
        {e for u, e, *_ in listed if u == deployment.underlying and e > head.timestamp_s}
    )
    held = [(e, *ask("VolSurface", "sliceOf", deployment.underlying, e)) for e in expiries]
    slices = tuple(
        slice_from_word(word, e, from_wad(carry), committed_at)
        for e, word, carry, committed_at in held
        if word
    )
    if not slices:
        raise DataError("the contract holds no slice of a listed live expiry: commit a surface")
    return slices
