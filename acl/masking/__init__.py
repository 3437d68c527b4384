"""Masking: what of a payload may leave, and for whom.

``policy`` says what becomes of each data tag at each destination, ``compile`` makes a function of
it for one contract, ``ledger`` remembers what was handed out for one request, ``unmask`` brings it
back. Everything here is synchronous and pure; keys and vaults are handed in.
"""
