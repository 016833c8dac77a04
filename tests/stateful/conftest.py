"""Models beside contracts run in process (revm.py): no node, no brownie."""
