-- Sends it again, at once, whether it was delivered or given up; its tries begin anew. Returns its status
-- before; nil if there is none. One that is pending is left as it is.
-- @include webhooks/outbox dead/letters
-- @args name
-- @returns status

local key = delivery_key(name)
local lane, status = unpack(redis.call('HMGET', key, 'lane', 'status'))
if status and status ~= 'pending' then
  redis.call('HSET', key, 'status', 'pending', 'tries', 0)
  redis.call('PEXPIRE', key, DELIVERY_KEPT_MS)
  redis.call('ZREM', DEAD, delivery_of(name))
  redis.call('ZADD', PENDING, now_text, name)
  send_at(lane, name, now)
end
return status
