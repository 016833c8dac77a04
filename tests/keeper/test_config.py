"""The example runs; every mistake is told by section and key, with what to write, and without secrets."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from keeper.config import Config
from keeper.errors import ConfigError

CHAIN = '[chain]\nrpc_url = "http://127.0.0.1:8545"\nchain_id = 31337\ndeployment = "d.json"\n'


def parse(text, base=Path("/desk")):
    return Config.from_toml(text, base, "gammadesk.toml")


def test_the_example_is_a_configuration():
    text = Config.example_toml()
    config = parse(text)
    assert config.policy.build().name == "delta_band"
    assert config.chain.deployment == Path("/desk/deployments/31337.json")


def test_the_example_names_every_key():
    """Commented keys too: uncommented, the whole must parse to every field of every section."""
    lines = Config.example_toml().splitlines()
    active = "\n".join(
        x[2:] if x.startswith("# ") and " = " in x and x[2:].split(" = ")[0].isidentifier() else x
        for x in lines
    )
    tree = tomllib.loads(active)
    for name, field in Config.model_fields.items():
        assert set(tree[name]) == set(field.annotation.model_fields), name
    assert parse(active).metrics.port == 9108


def test_the_example_shows_the_defaults():
    minimal, example = parse(CHAIN), parse(Config.example_toml())
    for section in set(Config.model_fields) - {"chain", "policy"}:
        assert getattr(minimal, section) == getattr(example, section)


def test_nothing_is_sent_unless_asked_for():
    assert parse(CHAIN).keeper.dry_run is True
    live = parse(CHAIN + '[keeper]\nkeystore = "key.json"\ndry_run = false\n')
    assert live.keeper.dry_run is False
    assert live.keeper.keystore == Path("/desk/key.json")


def test_paths_are_relative_to_the_file(tmp_path):
    path = tmp_path / "gammadesk.toml"
    path.write_text(CHAIN)
    config = Config.load(path)
    assert config.chain.deployment == tmp_path / "d.json"
    assert config.journal.url == f"sqlite:///{tmp_path}/gammadesk.sqlite"
    absolute = Config.from_toml(CHAIN.replace("d.json", "/etc/d.json"), tmp_path)
    assert absolute.chain.deployment == Path("/etc/d.json")
    other = Config.from_toml(CHAIN + '[journal]\nurl = "postgresql://desk@db/j"\n', tmp_path)
    assert other.journal.url == "postgresql://desk@db/j"


def test_caps_are_in_wei_for_the_guards():
    assert parse(CHAIN + "[gas]\nmax_base_fee_gwei = 42.5\n").gas.max_base_fee_wei == 42_500_000_000


def test_frozen():
    with pytest.raises(ValidationError):
        parse(CHAIN).gas.max_gas = 1


MISTAKES = [
    ("", r"\[chain\] is missing"),
    ("chain = 3", r"\[chain\] = 3"),
    ("[chain", "is not TOML"),
    (CHAIN + CHAIN, "is not TOML"),
    ("[chain]\nchain_id = 1\n", r'rpc_url is missing: add rpc_url = "http://127.0.0.1:8545"'),
    (CHAIN.replace("rpc_url", "rpc_ur"), r"rpc_ur is unknown: did you mean rpc_url\?"),
    (CHAIN.replace("http:", "ftp:"), r"rpc_url: must start with http://"),
    (CHAIN.replace("31337", "-1"), r"chain_id = -1: .*greater than 0"),
    (CHAIN.replace("31337", '"31337"'), r"chain_id = '31337': .*integer"),
    (CHAIN.replace("31337", "true"), r"chain_id = True: .*integer"),
    (CHAIN + "request_timeout_s = nan\n", r"request_timeout_s = nan: .*finite"),
    (CHAIN + "request_timeout_s = 0\n", r"request_timeout_s = 0"),
    (CHAIN + "[gaz]\n", r"\[gaz\] is unknown: did you mean gas\?"),
    (CHAIN + "[keeper]\ndry_run = false\n", r"\[keeper\] keystore is missing"),
    (CHAIN + "[keeper]\ndry_run = 0\n", r"\[keeper\] dry_run = 0"),
    (CHAIN + '[policy]\nname = "luck"\n', r"\[policy\] no policy is called 'luck'"),
    (CHAIN + "[policy.parameters]\nband_eth = -1.0\n", r"\[policy\] policy delta_band: band_eth"),
    (CHAIN + "[guards]\nmax_trade_eth = 0\n", r"\[guards\] max_trade_eth = 0: .*greater than 0"),
    (CHAIN + "[gas]\nmax_fee_gwei = 100.0\n", r"max_fee_gwei = 100 is below max_base_fee_gwei"),
    (CHAIN + "[gas]\npriority_fee_gwei = 50.0\n", r"max_priority_fee_gwei = 20 is below"),
    (CHAIN + "[schedule]\ninterval_s = 0\n", r"needs interval_s above 0, or cron"),
    (CHAIN + "[schedule]\ninterval_s = -5\n", r"interval_s = -5"),
    (CHAIN + '[schedule]\ncron = "hourly"\n', r"cron = 'hourly': needs five fields"),
    (CHAIN + "[schedule]\nmisfire_grace_s = 0\n", r"misfire_grace_s = 0"),
    (CHAIN + '[journal]\nurl = ""\n', r"\[journal\] url"),
    (CHAIN + "[alerts]\napprise_urls = [3]\n", r"apprise_urls.0"),
    (CHAIN + "[metrics]\nport = 70000\n", r"\[metrics\] port = 70000"),
]


@pytest.mark.parametrize(("text", "says"), MISTAKES)
def test_mistakes_are_told_by_key(text, says):
    with pytest.raises(ConfigError, match=says) as caught:
        parse(text)
    assert str(caught.value).startswith("gammadesk.toml")


def test_all_mistakes_are_told_at_once():
    with pytest.raises(ConfigError, match=r"chain_id.*; .*max_gas"):
        parse(CHAIN.replace("31337", "0") + "[gas]\nmax_gas = 5\n")


def test_cron_alone_is_enough():
    schedule = parse(CHAIN + '[schedule]\ninterval_s = 0\ncron = "5 8 * * *"\n').schedule
    assert (schedule.interval_s, schedule.cron) == (0.0, "5 8 * * *")


@pytest.mark.parametrize(
    "text",
    [
        CHAIN.replace("http://127.0.0.1:8545", "htp://node/v3/hunter2"),
        CHAIN + '[keeper]\npassword_env = "hunter2!"\n',
        CHAIN + '[alerts]\napprise_urls = "slack://hunter2"\n',
    ],
)
def test_secrets_are_not_repeated_in_errors(text):
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in str(caught.value.__cause__)


def test_secrets_are_not_in_the_representation():
    text = (
        CHAIN.replace("127.0.0.1:8545", "node/hunter2")
        + '[alerts]\napprise_urls = ["a://hunter2"]\n'
    )
    assert "hunter2" not in repr(parse(text))


def test_missing_and_unreadable_files_are_told(tmp_path):
    with pytest.raises(ConfigError, match="does not exist: write it"):
        Config.load(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        Config.load(tmp_path)
    binary = tmp_path / "b.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        Config.load(binary)
