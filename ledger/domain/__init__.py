"""What a posting is, which paths exist and what can be refused: plain Python."""
