-- Lists an owner's jobs, the newest first. KEYS: line. ARGV: owner, what `newest` is asked besides, ms kept.
-- Returns what it gives.
local line, retention = KEYS[1], tonumber(ARGV[6])
local listed = newest(owned_by(ARGV[1]), id_of, function(id) return read_record(line, id, retention) end, ARGV)
close()
return listed
