-- The outbox of webhooks: end_job() fills it, web processes empty it. A delivery is sent again until it succeeds or is given
-- up.
--
--   webhooks:<lane>        zset    deliveries to one receiver of one owner (`<owner>|<host>`), by when each is to be sent; that
--                                  time includes the lease of a process that is sending it
--   webhooks:<lane>:held   string  exists while the receiver wants to be left alone
--   webhooks               zset    lanes, by when the next of their deliveries is to be sent
--   webhooks:pending       zset    jobs whose webhook is not delivered yet, by when they ended
--   delivery:<id>          hash    lane url event status (pending, delivered, given_up) tries created log; claimed_at (by the
--                                  process that sends it)
--
-- @include queues/common

local LANES = 'webhooks'
local PENDING = 'webhooks:pending'
local DELIVERY_KEPT_MS = 3 * 86400000  -- how long the log of a delivery is kept

local function lane_key(lane) return 'webhooks:' .. lane end
local function held_key(lane) return 'webhooks:' .. lane .. ':held' end
local function delivery_key(id) return 'delivery:' .. id end

local function send_at(lane, id, time)
  redis.call('ZADD', lane_key(lane), whole(time), id)
  redis.call('ZADD', LANES, 'LT', whole(time), lane)
end

local function add_to_outbox(id, webhook, event)
  local lane, url = string.match(webhook, '^(%S+) (%S+)$')
  redis.call('HSET', delivery_key(id), 'lane', lane, 'url', url, 'event', event, 'status', 'pending', 'created', now_text)
  redis.call('PEXPIRE', delivery_key(id), DELIVERY_KEPT_MS)
  redis.call('ZADD', PENDING, now_text, id)
  send_at(lane, id, now)
end

local function remove_delivery(id)
  local lane = redis.call('HGET', delivery_key(id), 'lane')
  if lane then redis.call('ZREM', lane_key(lane), id) end
  redis.call('ZREM', PENDING, id)
  redis.call('DEL', delivery_key(id))
end
