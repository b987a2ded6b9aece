-- Wake-ups: how many a queue needs, and which were sent.
-- @include queues/turns

local WAKE_UP_EXPIRES_MS = 5000  -- a wake-up that no consumer answers counts as lost

-- How many wake-ups are missing: one is wanted for each claim's worth of rows, at most one for each consumer that is alive.
-- Only for a queue in which something waits.
local function missing_wake_ups(queue)
  local state = state_of(queue)
  local wanted = math.max(math.ceil(state.rows / state.claim_rows), 1)
  local sent = count_live(wake_ups_key(queue), WAKE_UP_EXPIRES_MS)
  if sent >= wanted then return 0 end
  return math.max(math.min(wanted, count_live(consumers_key(queue), ALIVE_MS)) - sent, 0)
end

local function note_wake_up(queue, name)
  drop_lapsed(wake_ups_key(queue), WAKE_UP_EXPIRES_MS)
  redis.call('ZADD', wake_ups_key(queue), whole(now + WAKE_UP_EXPIRES_MS), name)
end

local function numbered(name, number) return name .. '-' .. number end

-- The wake-ups that the same call has noted before: it is repeated because its answer was lost, and they were never sent.
local function noted_before(queue, name, most)
  local noted = {}
  while #noted < most and redis.call('ZSCORE', wake_ups_key(queue), numbered(name, #noted + 1)) do
    noted[#noted + 1] = numbered(name, #noted + 1)
  end
  for _, each in ipairs(noted) do note_wake_up(queue, each) end
  return noted
end

-- Returns the names of the wake-ups that the caller must send now, at most `most`; they count as sent. Each name is `name`
-- and a number. A call that is repeated has the same `name`, and gets the same wake-ups. The number of waiting rows begins
-- anew where nothing waits.
local function wake_up(queue, name, most)
  local sent = noted_before(queue, name, most)
  if #sent > 0 then return sent end
  if waiting(queue) == 0 then
    redis.call('DEL', rows_key(queue))
    return {}
  end
  for number = 1, math.min(missing_wake_ups(queue), most) do
    sent[number] = numbered(name, number)
    note_wake_up(queue, sent[number])
  end
  if #sent > 0 then redis.pcall('HINCRBY', METRICS, 'wake_ups|' .. queue, #sent) end
  return sent
end
