-- Reads a delivery; all is nil if there is none of this name. `next` is when it is sent next, or when its lease ends.
-- @include webhooks/outbox
-- @args name
-- @returns url event status tries created log lane next

local read = redis.call('HMGET', delivery_key(name), 'url', 'event', 'status', 'tries', 'created', 'log', 'lane')
read[8] = read[7] and redis.call('ZSCORE', lane_key(read[7]), name)
return read
