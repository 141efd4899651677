"""Stamps on paper: sheets, labels and slips as PDF.

``layouts`` says where things stand, ``fonts`` in what they are set, ``drawing`` draws.
Nothing is imported here: what draws PDFs takes long to load, and few pages need it.
"""
