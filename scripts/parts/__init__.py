"""Parts that the commands in ``scripts`` are made of."""
