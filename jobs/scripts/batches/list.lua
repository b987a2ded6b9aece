-- Lists an owner's batches, the newest first. ARGV: owner, what `newest` is asked besides, ms kept. Returns what it gives.
local retention = tonumber(ARGV[6])
return newest(owned_by(ARGV[1]), id_of, function(id) return read_record(id, retention) end, ARGV)
