-- How many deliveries are not delivered yet, and when the job of the oldest ended.
-- @include webhooks/outbox
-- @args
-- @returns number oldest now

local oldest = redis.call('ZRANGE', PENDING, 0, 0, 'WITHSCORES')
return {redis.call('ZCARD', PENDING), oldest[2] or now_text, now_text}
