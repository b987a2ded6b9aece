-- Which bells to ring now. KEYS: line. ARGV: names for bells. Returns those that the caller is to ring.
return ring(KEYS[1], ARGV)
