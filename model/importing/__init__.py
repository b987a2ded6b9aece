"""Makes a bundle of a booster that was trained elsewhere, and holds it to the scores of its author."""
