"""The keeper's configuration in TOML, one section a module. The keystore's password stays in the environment."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from keeper import config_text
from keeper.config_sections import (
    AlertsConfig,
    ExecutionConfig,
    ForecastConfig,
    GasConfig,
    JournalConfig,
    MetricsConfig,
    OverlayConfig,
    Section,
    UpkeepConfig,
)
from keeper.errors import ConfigError
from keeper.guards.records import GuardLimits
from keeper.models import Policy
from keeper.policies import build_policy, policy_names
from keeper.policies.margin_ladder import LadderRules
from keeper.policies.schedule import SlicingRules


def _rpc_url(value: str) -> str:
    if not value.startswith(("http://", "https://", "ws://", "wss://")):
        raise ValueError("must start with http://, https://, ws:// or wss://")
    return value


def _crontab(value: str) -> str:
    if len(value.split()) != 5:
        raise ValueError('needs five fields, e.g. "*/5 * * * *"')
    return value


def _environment_name(value: str) -> str:
    if not value.isidentifier():
        raise ValueError("must be the name of an environment variable, not a password")
    return value


def _absolute(value: Path, base: Path) -> Path:
    return value if value.is_absolute() else base / value


class ChainConfig(Section):
    """Which node, which chain, which deployment."""

    rpc_url: Annotated[str, AfterValidator(_rpc_url)] = Field(
        repr=False, description="address of the node", examples=["http://127.0.0.1:8545"]
    )
    chain_id: int = Field(gt=0, description="id that the node must answer", examples=[31337])
    deployment: Path = Field(
        strict=False,
        description="file written by the deployment, relative to this file",
        examples=["deployments/31337.json"],
    )
    request_timeout_s: float = Field(default=10.0, gt=0.0, description="seconds for one request")


class KeeperConfig(Section):
    """Who signs, and whether anything is sent at all."""

    keystore: Path | None = Field(
        default=None,
        strict=False,
        description="encrypted key file (Web3 Secret Storage), relative to this file; needed unless dry_run",
        examples=["keeper.json"],
    )
    password_env: Annotated[str, AfterValidator(_environment_name)] = Field(
        default="GAMMADESK_PASSWORD",
        repr=False,
        description="name of the environment variable that holds the password",
    )
    dry_run: bool = Field(
        default=True, description="decide, simulate and journal, but send nothing"
    )


class StancesConfig(Section):
    """Spreads and limits of either side by implied against forecast volatility, set by the quoter's own key."""

    interval_s: float = Field(
        default=0.0,
        ge=0.0,
        description="seconds between runs, below the desk's stance_max_age_s; 0: none",
    )
    keystore: Path | None = Field(
        default=None,
        strict=False,
        description="the quoter's key file, relative to this file; left out: the keeper's own",
        examples=["quoter.json"],
    )
    password_env: Annotated[str, AfterValidator(_environment_name)] = Field(
        default="GAMMADESK_PASSWORD",
        description="environment variable with the password of that keystore",
    )


class PolicyConfig(Section):
    """Which hedging policy, with which parameters."""

    name: str = Field(default="delta_band", description=f"one of {', '.join(policy_names())}")
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="the policy's own keys",
        examples=[{"band_eth": 5.0, "to": "centre"}],
    )

    def build(self) -> Policy:
        """The policy itself. Raises ConfigError naming the parameter at fault."""
        return build_policy(self.name, self.parameters)


class ScheduleConfig(Section):
    """When a tick runs."""

    interval_s: float = Field(
        default=60.0, ge=0.0, description="seconds between ticks; 0: only what cron says"
    )
    cron: Annotated[str, AfterValidator(_crontab)] | None = Field(
        default=None,
        description="ticks at these times too, UTC, five crontab fields",
        examples=["5 8 * * *"],
    )
    misfire_grace_s: int = Field(
        default=300, gt=0, description="seconds by which a tick may run late and still run"
    )


class Config(Section):
    """The whole file. `[chain]` is the only section that must be there."""

    chain: ChainConfig
    keeper: KeeperConfig = Field(default_factory=KeeperConfig)
    policy: PolicyConfig = Field(default_factory=PolicyConfig)
    guards: GuardLimits = Field(default_factory=GuardLimits)
    gas: GasConfig = Field(default_factory=GasConfig)
    execution: ExecutionConfig = Field(default_factory=ExecutionConfig)
    margin: LadderRules = Field(default_factory=LadderRules)
    overlay: OverlayConfig = Field(default_factory=OverlayConfig)
    slicing: SlicingRules = Field(default_factory=SlicingRules)
    forecast: ForecastConfig = Field(default_factory=ForecastConfig)
    schedule: ScheduleConfig = Field(default_factory=ScheduleConfig)
    upkeep: UpkeepConfig = Field(default_factory=UpkeepConfig)
    stances: StancesConfig = Field(default_factory=StancesConfig)
    journal: JournalConfig = Field(default_factory=JournalConfig)
    alerts: AlertsConfig = Field(default_factory=AlertsConfig)
    metrics: MetricsConfig = Field(default_factory=MetricsConfig)

    @classmethod
    def load(cls, path: Path) -> Config:
        """Reads a file; paths in it are relative to its folder. Raises ConfigError for anything wrong."""
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise ConfigError(
                f"{path} does not exist: write it, `Config.example_toml()` shows how"
            ) from error
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} cannot be read: {error}") from error
        return cls.from_toml(text, path.absolute().parent, str(path))

    @classmethod
    def from_toml(cls, text: str, base: Path, source: str = "configuration") -> Config:
        """As `load`, from a text; `base` is the folder that paths are relative to, `source` what errors name."""
        try:
            tree = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{source} is not TOML: {error}") from error
        try:
            config = cls.model_validate(tree)
        except ValidationError as error:
            faults = "; ".join(config_text.explain(cls, fault) for fault in error.errors())
            raise ConfigError(f"{source}: {faults}") from error
        config._check_together(source)
        return config._with_absolute_paths(base)

    @staticmethod
    def example_toml() -> str:
        """A complete file with every key, its meaning and its default; optional keys are commented out."""
        return config_text.example(Config)

    def _check_together(self, source: str) -> None:
        try:
            self.policy.build()
        except ConfigError as error:
            raise ConfigError(f"{source}: [policy] {error}") from error
        if not self.keeper.dry_run and self.keeper.keystore is None:
            raise ConfigError(
                f"{source}: [keeper] keystore is missing: name the key file, or set dry_run = true"
            )
        if self.schedule.interval_s == 0.0 and self.schedule.cron is None:
            raise ConfigError(f"{source}: [schedule] needs interval_s above 0, or cron")
        if self.stances.interval_s and self.forecast.candles is None:
            raise ConfigError(f"{source}: [stances] needs [forecast] candles to judge by")
        overlay = self.overlay
        if overlay.quotes is not None and overlay.max_gamma is None and overlay.max_vega is None:
            raise ConfigError(
                f"{source}: [overlay] quotes are taken towards max_gamma or max_vega: give one of them"
            )
        if self.gas.max_fee_gwei < self.gas.max_base_fee_gwei:
            raise ConfigError(
                f"{source}: [gas] max_fee_gwei = {self.gas.max_fee_gwei:g} is below max_base_fee_gwei = "
                f"{self.gas.max_base_fee_gwei:g}: raise it"
            )
        if self.gas.max_priority_fee_gwei < self.gas.priority_fee_gwei:
            raise ConfigError(
                f"{source}: [gas] max_priority_fee_gwei = {self.gas.max_priority_fee_gwei:g} is below "
                f"priority_fee_gwei = {self.gas.priority_fee_gwei:g}: raise it"
            )

    def _with_absolute_paths(self, base: Path) -> Config:
        chain = {"deployment": _absolute(self.chain.deployment, base)}
        update: dict[str, BaseModel] = {"chain": self.chain.model_copy(update=chain)}
        quotes = self.overlay.quotes
        if quotes is not None and "://" not in quotes:
            where = {"quotes": str(_absolute(Path(quotes), base))}
            update["overlay"] = self.overlay.model_copy(update=where)
        if self.keeper.keystore is not None:
            keystore = {"keystore": _absolute(self.keeper.keystore, base)}
            update["keeper"] = self.keeper.model_copy(update=keystore)
        if self.stances.keystore is not None:
            quoter = {"keystore": _absolute(self.stances.keystore, base)}
            update["stances"] = self.stances.model_copy(update=quoter)
        if self.forecast.candles is not None:
            candles = {"candles": _absolute(self.forecast.candles, base)}
            update["forecast"] = self.forecast.model_copy(update=candles)
        if "://" not in self.journal.url:
            url = {"url": f"sqlite:///{_absolute(Path(self.journal.url), base)}"}
            update["journal"] = self.journal.model_copy(update=url)
        return self.model_copy(update=update)
