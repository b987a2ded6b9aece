-- Withdraws the wake-up of a consumer that stops: another may be sent for the queue from now on.
-- @include queues/common
-- @args queue wake_up_name
-- @returns nothing

redis.call('ZREM', wake_ups_key(queue), wake_up_name)
