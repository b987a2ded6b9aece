-- Records an attempt to deliver. `outcome` is delivered, given_up, or pending: then it is sent again after `next_ms`.
-- `attempt` is JSON; for `hold_ms` nothing more is sent to this receiver. Returns 1; 0 if the delivery is no longer claimed
-- since then: then nothing changed.
-- @include webhooks/outbox dead/letters
-- @args name claimed_at outcome attempt next_ms:number hold_ms:number
-- @returns recorded

local key = delivery_key(name)
local lane, status, current, log = unpack(redis.call('HMGET', key, 'lane', 'status', 'claimed_at', 'log'))
if status ~= 'pending' or current ~= claimed_at then return 0 end
redis.call('HSET', key, 'status', outcome, 'log', log and log .. '\n' .. attempt or attempt)
redis.call('HDEL', key, 'claimed_at')
if outcome == 'pending' then
  send_at(lane, name, now + next_ms)
else
  redis.call('ZREM', lane_key(lane), name)
  redis.call('ZREM', PENDING, name)
  count('webhooks_ended|' .. outcome)
end
if outcome == 'given_up' then add_dead_letter(delivery_of(name)) end
if hold_ms > 0 then redis.call('SET', held_key(lane), '1', 'PX', whole(hold_ms)) end
commit()
return 1
