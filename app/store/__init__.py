"""Keeping: the books (SQL) and the nonce store (Redis). No rule lives here."""
