"""What stands around the product on a developer's machine: its servers, the supervisor and the demo data."""
