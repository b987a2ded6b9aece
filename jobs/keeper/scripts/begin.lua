-- Begins a round, unless a web process has begun one less than `every_ms` ago: so one of all web processes acts, and a dead one
-- needs no successor. `explained`: how many rows were ever added to be explained.
-- @include queues/common keeper/keeper
-- @args every_ms:number
-- @returns round now asleep requested_at start_ms state explained

if not is_due(every_ms) then return false end
local round = whole((tonumber(redis.call('HGET', KEEPER, 'round') or '') or 0) + 1)
redis.call('HSET', KEEPER, 'begun_at', now_text, 'round', round)
local asleep, requested_at, start_ms, state = read_keeper()
return {round, now_text, asleep, requested_at, start_ms, state, redis.call('GET', key_of('explanations', 'added')) or '0'}
