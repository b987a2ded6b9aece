-- Gives a claimed Idempotency-Key back: its request came to nothing. ARGV: owner, digest of the key, id.
local once = 'once:' .. ARGV[1] .. ':' .. ARGV[2]
if redis.call('GET', once) == MAKING .. ARGV[3] then redis.call('DEL', once) end
