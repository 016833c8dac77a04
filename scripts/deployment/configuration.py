"""Reading validated TOML: exact decimals, no unknown keys, every fault of a file in one message."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, TypeVar

from eth_utils import is_address, is_checksum_address
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from keeper.errors import ConfigError


class Section(BaseModel):
    """A table of a configuration file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _address(text: str) -> str:
    if not is_address(text):
        raise ValueError("is not an address: write 0x and 40 hexadecimal digits")
    if int(text, 16) == 0:
        raise ValueError("is the zero address")
    if not is_checksum_address(text):
        raise ValueError("has a wrong checksum: copy it again from its source, capitals included")
    return text


Address = Annotated[str, AfterValidator(_address)]
Model = TypeVar("Model", bound=BaseModel)


def read_toml(path: Path, model: type[Model]) -> Model:
    """Parse and validate. Raises ConfigError naming the file, each key and what is wrong with it."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from None
    return validated(content, model, str(path))


def validated(content: dict[str, Any], model: type[Model], what: str) -> Model:
    """A model from parsed content. Raises ConfigError with one line a fault."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{what} cannot be used:\n  " + "\n  ".join(faults(error))) from None


def faults(error: ValidationError) -> list[str]:
    """One line a fault: where and what."""
    return [
        f"{'.'.join(str(part) for part in item['loc']) or 'file'}: {item['msg']}"
        for item in error.errors()
    ]
