"""The customer's pages: join, the card, its code, scanning, what a code's link says."""

from __future__ import annotations

from app.web.customer import account, earning, joining, rewards, views
from app.web.customer.room import bp

__all__ = ["account", "bp", "earning", "joining", "rewards", "views"]
