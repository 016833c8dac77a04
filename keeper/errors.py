"""Errors named by the reaction that they ask for. The command line maps them to exit codes in one place."""

from __future__ import annotations


class GammadeskError(Exception):
    """Base of every error that this package raises on purpose. `exit_code` is what the command line returns."""

    exit_code = 1


class Retry(GammadeskError):
    """The outside world did not answer; the same call may go through later (node unreachable, timeout)."""

    exit_code = 75


class SkipTick(GammadeskError):
    """This tick must not act; the next may (stale price, guard refused, simulation reverted)."""

    exit_code = 3


class Halt(GammadeskError):
    """A person must look before anything more is sent (wrong chain, journal broken, key missing)."""

    exit_code = 78


class ConfigError(Halt):
    """The configuration cannot be used as it is; the message says which key and what to write."""


class KeystoreError(Halt):
    """The signing key cannot be had: keystore missing, malformed, or wrong password."""


class DataError(GammadeskError):
    """Input data (candles, option chains) is malformed; the message names file, row and rule."""

    exit_code = 65


class PricingError(GammadeskError, ValueError):
    """Arguments outside the domain of a pricing function."""

    exit_code = 65
