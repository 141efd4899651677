"""A member's own account: details, ways to sign in, devices.

The phone that joined needs none of it: its cookie is the card. The account is for
whoever wants the shop to know them, and for the day when that phone is gone.
"""
