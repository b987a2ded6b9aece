-- What the service gave up, which an operator may look at and try again.
--
--   dead  zset  ids of jobs, and of deliveries of webhooks, by when they were given up
--
-- @include queues/common

local DEAD = 'dead'

-- The letter of a delivery that was given up.
local function delivery_of(name) return 'msg_' .. name end

local GIVEN_UP = {worker_lost = true, model_unavailable = true, files_unavailable = true, not_finished = true}

-- Whether this error, which is JSON, is one of the service and not of what the caller sent.
local function is_given_up(error) return GIVEN_UP[string.match(error, '^{"type":"([%a_]+)"')] end

local function add_dead_letter(letter)
  redis.call('ZREMRANGEBYSCORE', DEAD, '-inf', whole(now - LIST_KEPT_MS))
  redis.call('ZADD', DEAD, now_text, letter)
  count('dead_letters')
end
