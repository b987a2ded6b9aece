-- A consumer has answered a wake-up and stops: whoever adds to the queue from now on may send another.
-- @include queues/common
-- @args queue wake_up_name
-- @returns nothing

redis.call('ZREM', wake_ups_key(queue), wake_up_name)
