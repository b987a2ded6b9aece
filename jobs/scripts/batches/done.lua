-- A chunk is done. ARGV: entry, id, chunk, rows, failed, bytes, rows that it was taken to have, bell names. Returns the
-- bells to ring. However often it is done, it counts once.
local entry, id, chunk, rows, failed, bytes, taken = unpack(ARGV, 1, 7)
local names = {}
for i = 8, #ARGV do names[#names + 1] = ARGV[i] end
local key = key_of(id)
leave(entry)
local status = redis.call('HGET', key, 'status')
if status ~= 'running' and status ~= 'canceling' then return {} end
if redis.call('HSETNX', key .. ':done', chunk, rows .. ' ' .. failed) == 1 then
  redis.call('HINCRBY', key, 'rows', rows)
  redis.call('HINCRBY', key, 'failed', failed)
  redis.call('HINCRBY', key, 'bytes', bytes)
  redis.call('HINCRBY', key, 'total', rows - taken)
end
redis.call('SREM', key .. ':out', chunk)
go_on(id)
return ring(names)
