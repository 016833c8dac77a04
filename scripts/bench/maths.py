"""Gas and errors of the option maths, by the deployment's own bytecode: `make bench-maths`.

Samples (seed 1): forward 100 to 10,000 USD, volatility 0.2 to 1.5, tau log-uniform over 1 hour to 1 year, strikes
within +-2.5 deviations for gas, within +-2.5 and +-8 for errors. Errors against 50 digits: price, vega and theta
relative to the forward, gamma times the forward; of the price also relative to the larger of forward and strike.
Scenarios: 16 options in 23 scenarios, the table's account cold. Writes build/bench/maths.json.
"""

from __future__ import annotations

import itertools
import json
import math
import random
import statistics
import sys
from pathlib import Path
from typing import Any

import mpmath as mp
import yaml
from eth_abi import decode, encode
from eth_utils import keccak
from pyrevm import EVM, AccountInfo
from scipy.special import ndtr

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "contracts"
OUTPUT = ROOT / "build" / "bench" / "maths.json"
WAD = 10**18
YEAR_S = 365 * 86_400
OPTION = ["bool", "uint256", "uint256", "uint256", "uint256", "uint256"]
GREEKS = ["uint256", "int256", "uint256", "uint256", "int256"]
NAMES = ("price", "delta", "gamma", "vega", "theta", "price_of_larger")
# What the table's account costs more in a transaction, where it is cold (EIP-2929); this EVM has it warm.
COLD_ACCOUNT = 2_500
SENDER = "0x" + "11" * 20
# The best that others publish, measured alike: price + delta + vega without validation, price alone, margin.
PEERS = {
    "greeks_gas_median": 4_106,
    "price_gas_median": 3_447,
    "price_error_max": 1e-16,
    "delta_error_max": 4.5e-16,
    "scenario_gas_per_option": 9_550,
}


class Harness:
    """A compiled contract in an EVM of its own."""

    def __init__(self, name: str) -> None:
        artifact = json.loads((BUILD / f"{name}.json").read_text(encoding="utf-8"))
        config = yaml.safe_load((ROOT / "brownie-config.yaml").read_text(encoding="utf-8"))
        # The artifact does not say which code generator was used; brownie takes it from its configuration.
        self.settings = artifact["compiler"] | {"viaIR": config["compiler"]["solc"]["viaIR"]}
        self.evm = EVM(gas_limit=10**10)
        self.evm.insert_account_info(SENDER, AccountInfo(balance=10**24))
        self.address = self.deploy(name)

    def deploy(self, name: str) -> str:
        """Address of another contract in the same EVM."""
        artifact = json.loads((BUILD / f"{name}.json").read_text(encoding="utf-8"))
        return str(self.evm.deploy(SENDER, bytes.fromhex(artifact["bytecode"])))

    def call(self, name: str, types: list[str], values: list[Any], results: list[str]) -> Any:
        """Decoded results, alone when there is one."""
        data = keccak(text=f"{name}({','.join(types)})")[:4] + encode(types, values)
        found = decode(results, self.evm.message_call(SENDER, self.address, calldata=data))
        return found if len(found) > 1 else found[0]


def sample(draw: random.Random, deviations: float) -> list[Any]:
    """isCall, forward, strike, vol, tau in WAD years of whole seconds, discount."""
    forward = int(draw.uniform(100, 10_000) * WAD)
    vol = int(draw.uniform(0.2, 1.5) * WAD)
    tau = int(math.exp(draw.uniform(math.log(3_600), math.log(YEAR_S))))
    s = vol / WAD * math.sqrt(tau / YEAR_S)
    strike = int(forward * math.exp(draw.uniform(-deviations, deviations) * s))
    return [draw.random() < 0.5, forward, strike, vol, -(-tau * WAD // YEAR_S), WAD]


def true_greeks(option: list[Any]) -> tuple[mp.mpf, ...]:
    call, forward, strike, vol, tau, _ = option
    seconds = (tau * YEAR_S + WAD // 2) // WAD
    f, k, v = (mp.mpf(x) / WAD for x in (forward, strike, vol))
    root = mp.sqrt(mp.mpf(seconds) / YEAR_S)
    s = v * root
    d1 = mp.log(f / k) / s + s / 2
    sign = 1 if call else -1
    phi = mp.npdf(d1)
    price = sign * (f * mp.ncdf(sign * d1) - k * mp.ncdf(sign * (d1 - s)))
    return (
        price,
        sign * mp.ncdf(sign * d1),
        phi / (f * s),
        f * phi * root,
        -f * phi * v / (2 * root),
    )


def greeks_errors(harness: Harness, draw: random.Random, points: int) -> dict[str, float]:
    worst = [mp.mpf(0)] * 6
    for i in range(points):
        option = sample(draw, 2.5 if i % 2 else 8.0)
        found = harness.call("greeks", OPTION, option, GREEKS)
        forward, strike = mp.mpf(option[1]) / WAD, mp.mpf(option[2]) / WAD
        errors = [abs(mp.mpf(x) / WAD - t) for x, t in zip(found, true_greeks(option), strict=True)]
        units = (1 / forward, 1, forward, 1 / forward, 1 / forward, 1 / max(forward, strike))
        for j, (error, unit) in enumerate(zip([*errors, errors[0]], units, strict=True)):
            worst[j] = max(worst[j], error * unit)
    return {f"{name}_error_max": float(e) for name, e in zip(NAMES, worst, strict=True)}


def scenario_error(draw: random.Random, points: int) -> dict[str, float]:
    """Relative to the larger of moved forward and strike; and the greatest share of its bound that an error takes."""
    maths = Harness("MathsHarness")
    address = maths.deploy("ScenarioTable")
    types = ["address", "(bool,uint256,uint256,uint256,uint256,uint256)", "int256", "uint256[]"]
    factors = [WAD // 2, 3 * WAD // 2, *(8 * WAD // 10 + WAD * i // 50 for i in range(21))]
    worst = share = 0.0
    for _ in range(points):
        call, forward, strike, vol, tau, _ = sample(draw, 2.5)
        seconds = (tau * YEAR_S + WAD // 2) // WAD
        option = (call, forward, strike, vol, seconds, WAD)
        rows = maths.call("scenarios", types, [address, option, WAD, factors], ["int256[4][]"])
        vols = (vol, min(2 * vol, 10 * WAD), vol // 2)
        for (i, factor), (j, v) in itertools.product(enumerate(factors), enumerate(vols)):
            if i < 2 and j != 1:
                continue  # tails have one volatility
            f, k = forward / WAD * factor / WAD, strike / WAD
            true = black(call, f, k, v / WAD * math.sqrt(seconds / YEAR_S))
            error = abs(rows[i][j] / WAD - true)
            worst = max(worst, error / max(f, k))
            share = max(share, error * WAD / rows[i][3])
    return {"scenario_error_max": worst, "scenario_error_share_of_bound": share}


def black(call: bool, f: float, k: float, s: float) -> float:
    """Undiscounted value in floats, far more exact than the kernel."""
    d1 = math.log(f / k) / s + s / 2
    sign = 1 if call else -1
    return float(sign * (f * ndtr(sign * d1) - k * ndtr(sign * (d1 - s))))


def gas(harness: Harness, draw: random.Random, points: int) -> dict[str, float]:
    options = [sample(draw, 2.5) for _ in range(points)]
    greeks = [harness.call("greeksGas", OPTION, o, ["uint256"]) for o in options]
    prices = [harness.call("priceGas", OPTION, o, ["uint256"]) for o in options]
    grid = harness.call("scenarioValuesGas", ["uint256", "uint256"], [16, 23], ["uint256"])
    return {
        "greeks_gas_median": statistics.median(greeks),
        "greeks_gas_max": max(greeks),
        "price_gas_median": statistics.median(prices),
        "price_gas_max": max(prices),
        "scenario_gas_per_option": (grid + COLD_ACCOUNT) / 16 / 23,
    }


def smile_gas(draw: random.Random, points: int) -> dict[str, float]:
    """Total variance alone, volatility, and volatility with its slope: slices at random, k within +-2, a quarter."""
    harness = Harness("MathsHarness")
    fields = ["int256", "uint256", "int256", "int256", "uint256"]
    variances, vols, slopes = [], [], []
    for _ in range(points):
        values = [draw.uniform(0, 0.3), draw.uniform(0, 1), draw.uniform(-0.9, 0.9),
                  draw.uniform(-0.5, 0.5), draw.uniform(0.01, 1)]  # fmt: skip
        word = harness.call("sviPack", fields, [int(x * WAD) for x in values], ["uint256"])
        k = int(draw.uniform(-2, 2) * WAD)
        at = ["uint256", "int256"]
        variances.append(harness.call("totalVarianceGas", at, [word, k], ["uint256"]))
        both = harness.call("volGas", [*at, "uint256"], [word, k, YEAR_S // 4], ["uint256"] * 2)
        vols.append(both[0])
        slopes.append(both[1])
    return {
        "total_variance_gas_median": statistics.median(variances),
        "vol_gas_median": statistics.median(vols),
        "vol_and_slope_gas_median": statistics.median(slopes),
    }


def main(arguments: list[str]) -> int:
    """Points for errors may be given; 20,000 otherwise."""
    mp.mp.dps = 50
    points = int(arguments[0]) if arguments else 20_000
    harness = Harness("OptionMathHarness")
    figures: dict[str, Any] = gas(harness, random.Random(1), 2_000)
    figures |= smile_gas(random.Random(1), 200)
    figures |= greeks_errors(harness, random.Random(1), points)
    figures |= scenario_error(random.Random(1), max(points // 40, 10))
    settings = harness.settings
    figures["settings"] = {
        key: settings.get(key) for key in ("version", "evm_version", "optimizer", "viaIR")
    }
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(figures | {"peers": PEERS}, indent=2) + "\n", encoding="utf-8")
    for name, value in figures.items():
        peer = f"   (best peer {PEERS[name]:g})" if name in PEERS else ""
        print(f"{name:28} {value if isinstance(value, dict) else format(value, '.6g')}{peer}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
