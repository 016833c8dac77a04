"""The replay behind `python -m scripts.demo`: real contracts, real venues and the real keeper over recorded candles."""
