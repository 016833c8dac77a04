"""Option maths over numpy arrays: Black-76 and the SVI surface of the contracts."""
