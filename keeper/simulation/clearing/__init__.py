"""The clearing room as a plain Python model: the readable specification of contracts/Clearinghouse.sol.

Integers wherever money is exact, in the contract's units and roundings; marks come from outside (`marks.Marks`). An
action either happens whole or raises `Refused` with the name of the contract's error and changes nothing.
"""
