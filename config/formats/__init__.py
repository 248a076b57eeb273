"""How dates are written where Django writes them: the staff's pages, and whatever names no format of its own."""
