"""What every surface shares: who is asking, refusals, headers, the look."""
