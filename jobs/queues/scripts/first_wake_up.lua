-- Returns the name of a wake-up that a consumer sends because it starts, whatever others were sent: they may be lost. Returns
-- nil if nothing waits.
-- @include queues/wake_ups
-- @args queue wake_up_name
-- @returns name

if waiting(queue) == 0 then return nil end
note_wake_up(queue, wake_up_name)
redis.pcall('HINCRBY', METRICS, 'wake_ups|' .. queue, 1)
return wake_up_name
