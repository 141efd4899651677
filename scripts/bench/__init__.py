"""Benchmarks: each prints our figure beside a floor, measured in the same run.

The floor is a bare view that does the same unavoidable work, so the distance says what
our own code costs, whatever machine it runs on and however busy that is.
"""
