-- Notes that work has come to sleeping workers. Returns 1 to the first that says so, who must ask for a worker; 0 to all others.
-- @include queues/common keeper/keeper
-- @args
-- @returns first

if not is_asleep() then return 0 end
-- A worker that has not stopped yet says nothing of how long a start takes.
local alive = count_live(consumers_key('predictions'), ALIVE_MS)
redis.call('HSET', KEEPER, 'asleep', '0', 'requested_at', alive == 0 and now_text or '')
return 1
