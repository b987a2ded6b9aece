-- Records what a round has decided, and returns 1: or 0 if a later round has begun, or the workers were woken meanwhile. Then
-- nothing may be done of what it decided. `was_asleep`: what `begin` returned.
-- @include keeper/keeper
-- @args round was_asleep asleep requested_at start_ms state
-- @returns valid

if redis.call('HGET', KEEPER, 'round') ~= round or is_asleep() ~= (was_asleep == '1') then return 0 end
redis.call('HSET', KEEPER, 'asleep', asleep, 'requested_at', requested_at, 'start_ms', start_ms, 'state', state)
return 1
