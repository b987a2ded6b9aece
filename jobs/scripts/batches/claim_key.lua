-- Claims an Idempotency-Key while the body of its request arrives. ARGV: owner, digest of the key, id, ms until the
-- claim lapses. Returns 'new'; 'making' if another request has it; or the id and the hash of the body that it
-- stands for. Claiming again what is claimed for the same id renews it.
local once = 'once:' .. ARGV[1] .. ':' .. ARGV[2]
local known = redis.call('GET', once)
if known and known ~= MAKING .. ARGV[3] then
  if string.sub(known, 1, #MAKING) == MAKING then return {'making'} end
  return {'same', string.sub(known, 1, -17), string.sub(known, -16)}
end
redis.call('SET', once, MAKING .. ARGV[3], 'PX', ARGV[4])
return {'new'}
