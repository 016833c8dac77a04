"""Models of what the keeper does not control: price paths, block base fees, implied volatility."""
