-- Returns the names of the wake-ups that the caller must send now, at most `most` of them.
-- @include queues/common
-- @args queue wake_up_name most:number
-- @returns wake_ups

return wake_up(queue, wake_up_name, most)
