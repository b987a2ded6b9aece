-- The outbox: end_job() fills it, web processes empty it. A delivery is sent again until it succeeds or is given up. It has a
-- name: the id of its job for a webhook; for an event, `<id>.bus` or `<id>.topic`.
--
--   webhooks:<lane>        zset    deliveries to one receiver of one owner (`<owner>|<host>`, or `<owner>|bus`), by when each is to
--                                  be sent; that time includes the lease of a process that is sending it
--   webhooks:<lane>:held   string  exists while the receiver wants to be left alone
--   webhooks               zset    lanes, by when the next of their deliveries is to be sent
--   webhooks:pending       zset    deliveries that are not delivered yet, by when their jobs ended
--   delivery:<name>        hash    lane url event status (pending, delivered, given_up) tries created log; claimed_at (by the
--                                  process that sends it)
--
-- @include queues/common

local LANES = 'webhooks'
local PENDING = 'webhooks:pending'
local DELIVERY_KEPT_MS = 3 * 86400000  -- how long the log of a delivery is kept

local function lane_key(lane) return 'webhooks:' .. lane end
local function held_key(lane) return 'webhooks:' .. lane .. ':held' end
local function delivery_key(name) return 'delivery:' .. name end
local function delivery_names(id) return {id, id .. '.bus', id .. '.topic'} end

local function send_at(lane, name, time)
  redis.call('ZADD', lane_key(lane), whole(time), name)
  redis.call('ZADD', LANES, 'LT', whole(time), lane)
end

-- `receivers` has a line for each, `<lane> <receiver>`: a URL, or the name of what is told by an event.
local function add_to_outbox(id, receivers, event)
  for lane, receiver in string.gmatch(receivers, '(%S+) (%S+)') do
    local name = string.find(receiver, '://', 1, true) and id or id .. '.' .. receiver
    local key = delivery_key(name)
    redis.call('HSET', key, 'lane', lane, 'url', receiver, 'event', event, 'status', 'pending', 'created', now_text)
    redis.call('PEXPIRE', key, DELIVERY_KEPT_MS)
    redis.call('ZADD', PENDING, now_text, name)
    send_at(lane, name, now)
  end
end

local function remove_delivery(name)
  local lane = redis.call('HGET', delivery_key(name), 'lane')
  if not lane then return end
  redis.call('ZREM', lane_key(lane), name)
  redis.call('ZREM', PENDING, name)
  redis.call('DEL', delivery_key(name))
end
