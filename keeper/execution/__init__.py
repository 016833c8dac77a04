"""From a plan to a mined transaction: orders, fees, journal, sender, recovery."""
