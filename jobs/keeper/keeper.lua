-- What the keeper of workers remembers.
--
--   keeper   hash   begun_at: when the last round began; round: its number; asleep: 1 while the workers sleep or are about to;
--                   requested_at: when a worker was asked for while none ran, until one has come
--                   (milliseconds, or empty); start_ms: how long the last starts took; state: JSON (jobs/keeper/state.py)
--
-- @include queues/common

local KEEPER = 'keeper'

-- Returns: asleep, requested_at, start_ms, state; each empty if it is not known.
local function read_keeper()
  local found = redis.call('HMGET', KEEPER, 'asleep', 'requested_at', 'start_ms', 'state')
  for at = 1, 4 do found[at] = found[at] or '' end
  return unpack(found)
end

-- Whether the last round began so long ago. A clock that was set back does not put the next one off.
local function is_due(every_ms)
  local since = now - (tonumber(redis.call('HGET', KEEPER, 'begun_at') or '') or now - every_ms)
  return since < 0 or since >= every_ms
end

local function is_asleep() return redis.call('HGET', KEEPER, 'asleep') == '1' end
