"""Nothing in here or below imports brownie: the keeper's tests run without a chain and without Node."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("gammadesk", deadline=None, derandomize=True, max_examples=200)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gammadesk"))
