"""Reads: plain values, inside the caller's open environment."""
