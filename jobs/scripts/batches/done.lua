-- A chunk is done. ARGV: entry, id, chunk, rows, failed, bytes, rows that it was taken to have, bell names. Returns
-- {whether it counts, bells to ring}: however often it is done, it counts once.
local entry, id, chunk, rows, failed, bytes, taken = unpack(ARGV, 1, 7)
local names = {}
for i = 8, #ARGV do names[#names + 1] = ARGV[i] end
local key = key_of(id)
leave(entry)
local status, model = unpack(redis.call('HMGET', key, 'status', 'model'))
if status ~= 'running' and status ~= 'canceling' then return {0, {}} end
local counts = redis.call('HSETNX', key .. ':done', chunk, rows .. ' ' .. failed)
if counts == 1 then
  redis.call('HINCRBY', key, 'rows', rows)
  redis.call('HINCRBY', key, 'failed', failed)
  redis.call('HINCRBY', key, 'bytes', bytes)
  redis.call('HINCRBY', key, 'total', rows - taken)
  count('batch_rows|' .. model .. '|succeeded', rows - failed)
  count('batch_rows|' .. model .. '|failed', failed)
end
redis.call('SREM', key .. ':out', chunk)
go_on(id)
return {counts, ring(names)}
