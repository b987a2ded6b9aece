-- A batch has been looked at and cut. ARGV: entry, id, layout, total rows, bell names (how many, then each), chunks.
-- Returns the bells to ring. Planning twice changes nothing.
local entry, id, layout, total = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local names = {}
for i = 1, tonumber(ARGV[5]) do names[i] = ARGV[5 + i] end
local first = 6 + #names
local key = key_of(id)
leave(entry)
if redis.call('HGET', key, 'status') ~= 'validating' then return {} end
redis.call('HSET', key, 'status', 'queued', 'layout', layout, 'total', total, 'chunks', #ARGV - first + 1, 'next', 0)
redis.call('INCRBY', LATER, #ARGV - first + 1)
redis.call('DEL', key .. ':plan')
for at = first, #ARGV, 1000 do redis.call('RPUSH', key .. ':plan', unpack(ARGV, at, math.min(at + 999, #ARGV))) end
go_on(id)
return ring(names)
