"""A simulated year of a shop, honest and not, to measure how good signals are."""
