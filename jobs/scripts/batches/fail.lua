-- A chunk cannot be scored. ARGV: entry, id, chunk, error, 1 if no other is to be begun, bell names. Returns the bells
-- to ring.
local entry, id, chunk, error, last = unpack(ARGV)
if redis.call('XACK', LINE, GROUP, entry) == 0 then return {} end
redis.call('XDEL', LINE, entry)
fail_chunk(id, chunk, error, last == '1')
return ring({unpack(ARGV, 6)})
