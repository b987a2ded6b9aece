"""A whole service on this machine, which a seed breaks again and again while callers count on it."""
