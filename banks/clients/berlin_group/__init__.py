"""Banks that speak the Berlin Group's NextGenPSD2: the HTTP in `client`, the reading in `parser` and `refusals`."""
