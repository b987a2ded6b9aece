-- Whether one more batch would be refused. ARGV: owner, most that may be open, most of one owner (0: no limit).
-- Returns what `refusal` gives.
return refusal(ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]))
