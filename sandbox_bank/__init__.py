"""A bank of its own: a Berlin Group NextGenPSD2 interface, pages for its customers, and a control for whoever tests.

It imports nothing of Facturino Connect and nothing there imports it: the two meet over HTTP only. docs/sandbox-bank.md
tells how to use it.
"""
