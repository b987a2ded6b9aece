-- Reads the delivery of a job; all is nil for a job without a webhook. `next` is when it is sent next, or when its lease ends.
-- @include webhooks/outbox
-- @args id
-- @returns url event status tries created log lane next

local read = redis.call('HMGET', delivery_key(id), 'url', 'event', 'status', 'tries', 'created', 'log', 'lane')
read[8] = read[7] and redis.call('ZSCORE', lane_key(read[7]), id)
return read
