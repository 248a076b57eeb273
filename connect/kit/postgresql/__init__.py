"""The database backend of the `default` alias; see `base.py`."""
