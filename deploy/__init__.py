"""What installs and prepares: kept apart from the product, run before it."""
