"""The colours of all that people look at. The guide takes the file as it is."""

from importlib.resources import files

PALETTE = files(__package__) / "palette.css"
