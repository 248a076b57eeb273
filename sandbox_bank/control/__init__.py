"""The control of whoever tests, below /control: it makes the bank do and be anything."""
