-- A job's record, and all that may happen to it. Every other script begins with this file, so that
-- there is one place that knows the state machine (jobs/status.py draws it) and the names of the keys.
--
--   job:<id>          hash    v status model sha owner inputs attempt started finished expires
--                             outputs error metadata watchers; of a list that workers were lost with:
--                             trying (the row under way), lost (the rows given up)
--   jobs:<owner>      zset    the owner's jobs: 16 bytes of id, by time of creation
--   line:predictions  stream  where jobs wait: id, and how many rows it has
--   line:...:again    stream  where jobs wait whose worker was lost: these are claimed one at a time
--   bells             zset    bells that are out, by the time when they lapse
--   children          zset    children of workers that live, by the time when they lapse
--   claim_rows        string  how many rows a child claims at once

local GROUP = 'workers'
local BELLS = 'bells'
local CHILDREN = 'children'
local CLAIM_ROWS = 'claim_rows'
local BELL_LAPSES = 5000

local function key_of(id) return 'job:' .. id end
local function again(line) return line .. ':again' end
local function owned_by(owner) return 'jobs:' .. owner end
local function whole(number) return string.format('%.0f', number) end

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)

local ended_for = {}  -- channel -> ids, told by tell_watchers once all is written

-- Final is final: only these two ways lead here, and the caller has looked at the status.
local function end_job(id, status, retention, outputs, error)
  local key = key_of(id)
  local watchers = redis.call('HGET', key, 'watchers')
  redis.call('HDEL', key, 'inputs', 'watchers', 'error', 'trying', 'lost')
  redis.call('HSET', key, 'status', status, 'finished', whole(now), 'expires', whole(now + retention))
  if (outputs or '') ~= '' then redis.call('HSET', key, 'outputs', outputs) end
  if (error or '') ~= '' then redis.call('HSET', key, 'error', error) end
  redis.call('PEXPIRE', key, whole(retention))
  for channel in string.gmatch(watchers or '', '%S+') do
    ended_for[channel] = ended_for[channel] or {}
    table.insert(ended_for[channel], id)
  end
end

local function tell_watchers()
  for channel, ids in pairs(ended_for) do
    redis.call('PUBLISH', channel, table.concat(ids, ' '))
  end
end

local function leave(stream, entry)
  redis.call('XACK', stream, GROUP, entry)
  redis.call('XDEL', stream, entry)
end

local function waiting(line)
  return redis.call('XLEN', line) + redis.call('XLEN', again(line))
end

-- How many bells to ring now: one for each claim's worth of rows, at most one for each child that lives.
local function bells_short(line)
  local length = waiting(line)
  if length == 0 then return 0 end
  redis.call('ZREMRANGEBYSCORE', BELLS, '-inf', whole(now))
  local claim_rows = tonumber(redis.call('GET', CLAIM_ROWS) or 1000)
  local children = redis.call('ZCOUNT', CHILDREN, whole(now), '+inf')
  local wanted = math.min(math.ceil(length / claim_rows), children)
  return math.max(wanted - redis.call('ZCARD', BELLS), 0)
end

-- Notes the bells, as out, that the caller is about to ring; of each the name that it gave.
local function ring(line, names)
  local rung = {}
  for i = 1, math.min(bells_short(line), #names) do
    redis.call('ZADD', BELLS, whole(now + BELL_LAPSES), names[i])
    rung[i] = names[i]
  end
  return rung
end
