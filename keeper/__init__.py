"""Gammadesk's keeper: reads the desk, values its book, decides, and hedges through verified transactions."""

__version__ = "0.1.0"
