"""The attacks that ``scripts/attack.py`` throws, by subject.

A new one is a function in the module of its subject; see ``catalogue``.
"""
