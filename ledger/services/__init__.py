"""Writes: every one calls one SQL function inside the caller's open environment."""
