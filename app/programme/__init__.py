"""The rules. No HTTP here, and nothing that keeps: each module is one capability.

* ``codes``: issue, spend: THE SINGLE-USE RULE
* ``stamping``: giving stamps, both ways; ``reversals``: taking back
* ``rewards``: vouchers; ``cards``: a card's state and what a change causes
* ``members``: joining; ``staff``: terminals, PINs, passwords
* ``sessions``: who is asking; ``shop``: what owners and managers change
* ``signals``: what may be fraud; ``audit``: who changed what; ``feed``: what happened
* ``founding``: the first rows
"""
