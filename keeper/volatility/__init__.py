"""Volatility from past prices: estimators that never look past the moment they are asked for."""
