-- A batch has been looked at and cut. ARGV: entry, id, layout, rows and bytes of all chunks, bell names (how many, then
-- each), chunks. Returns the bells to ring. Planning twice changes nothing.
local entry, id, layout, total, size = unpack(ARGV, 1, 5)
local names = {}
for i = 1, tonumber(ARGV[6]) do names[i] = ARGV[6 + i] end
local first = 7 + #names
local key = key_of(id)
leave(entry)
if redis.call('HGET', key, 'status') ~= 'validating' then return {} end
redis.call('HSET', key, 'status', 'queued', 'layout', layout, 'total', total, 'size', size,
           'chunks', #ARGV - first + 1, 'next', 0)
redis.call('INCRBY', LATER, #ARGV - first + 1)
redis.call('DEL', key .. ':plan')
for at = first, #ARGV, 1000 do redis.call('RPUSH', key .. ':plan', unpack(ARGV, at, math.min(at + 999, #ARGV))) end
go_on(id)
return ring(names)
