-- Which bells to ring now. ARGV: names for bells. Returns those that the caller is to ring.
return ring(ARGV)
