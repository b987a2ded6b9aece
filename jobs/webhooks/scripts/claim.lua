-- Claims deliveries whose time has come: at most one of each lane, `most` in all, for the length of a lease. `at_once` limits
-- how many of a lane, and of all lanes of an owner, one process sends at a time; an item says how many it is sending now to
-- `name`, a lane or an owner. Lanes that get no turn are looked at again a second later, so that those behind them do.
-- @include webhooks/outbox
-- @args most:number lease_ms:number lane_at_once:number owner_at_once:number
-- @item name sending:number
-- @returns each: name url event tries created claimed_at owner lane traceparent

local MOST_LANES, LATER_MS = 1000, 1000
local sending, claimed = {}, {}
for _, item in items() do sending[item.name] = item.sending end

local function claim_delivery(lane, owner, name)
  local key = delivery_key(name)
  local url, event, status, created = unpack(redis.call('HMGET', key, 'url', 'event', 'status', 'created'))
  if status ~= 'pending' then return redis.call('ZREM', lane_key(lane), name) end
  assert(url and event and whole_in(created), 'the delivery is not as we write it')
  redis.call('ZADD', lane_key(lane), whole(now + lease_ms), name)
  local tries = redis.call('HINCRBY', key, 'tries', 1)
  redis.call('HSET', key, 'claimed_at', now_text)
  claimed[#claimed + 1] = {name, url, event, tries, created, now_text, owner, lane,
                            redis.call('HGET', job_key(string.match(name, '^[^.]+')), 'traceparent') or ''}
  sending[lane], sending[owner] = (sending[lane] or 0) + 1, (sending[owner] or 0) + 1
end

-- Redis is not trusted: a delivery that cannot be read is given up alone.
local function claim_first(lane, owner)
  local name = redis.call('ZRANGEBYSCORE', lane_key(lane), '-inf', now_text, 'LIMIT', 0, 1)[1]
  if not name or pcall(claim_delivery, lane, owner, name) then return end
  redis.call('ZREM', lane_key(lane), name)
  redis.call('ZREM', PENDING, name)
  redis.call('DEL', delivery_key(name))
  count('webhooks_ended|given_up')
end

local function take_turn(lane)
  local owner = string.match(lane, '^[^|]*')
  local held = redis.call('PTTL', held_key(lane))
  local later = now
  if held > 0 then
    later = now + held
  elseif (sending[lane] or 0) >= lane_at_once or (sending[owner] or 0) >= owner_at_once then
    later = now + LATER_MS
  else
    claim_first(lane, owner)
  end
  local next = redis.call('ZRANGE', lane_key(lane), 0, 0, 'WITHSCORES')
  if next[1] then
    redis.call('ZADD', LANES, whole(math.max(next[2], later)), lane)
  else
    redis.call('ZREM', LANES, lane)
  end
end

for _, lane in ipairs(redis.call('ZRANGEBYSCORE', LANES, '-inf', now_text, 'LIMIT', 0, MOST_LANES)) do
  if #claimed == most then break end
  take_turn(lane)
end
commit()
return claimed
