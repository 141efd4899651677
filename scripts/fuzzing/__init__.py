"""What ``scripts/fuzz.py`` throws: a catalogue of readers of text from outside."""
