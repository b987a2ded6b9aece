"""Tables of pandas and polars: rows out of them, and columns of scores into them."""
