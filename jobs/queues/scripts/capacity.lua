-- The state of the queues. `set` is the sorted set of web processes; `webs` alternates their names and reports. For each
-- queue: waiting entries, waiting rows, claimed entries; for each of its streams with a waiting entry, the oldest one and
-- its job, and the oldest job of the owner whose turn is next, without its entry; and the names and reports of its consumers.
-- @include queues/turns
-- @args set
-- @item name
-- @returns now webs queues

-- Alternates the names of the live processes in a set and their reports.
local function alive(processes)
  local said = {}
  for _, process in ipairs(redis.call('ZRANGEBYSCORE', processes, now_text, whole(now + ALIVE_MS))) do
    said[#said + 1] = process
    said[#said + 1] = redis.call('HGET', PROCESSES, process_field(processes, process)) or ''
  end
  return said
end

-- How many entries of a stream are claimed, and the first that nobody has claimed, or nil.
local function claimed_in(stream)
  local claimed, from = 0, '-'
  local groups = redis.pcall('XINFO', 'GROUPS', stream)
  for _, group in ipairs(groups.err and {} or groups) do
    local facts = {}
    for at = 1, #group, 2 do facts[group[at]] = group[at + 1] end
    claimed = claimed + facts['pending']
    from = '(' .. facts['last-delivered-id']
  end
  return claimed, redis.call('XRANGE', stream, from, '+', 'COUNT', 1)[1]
end

local queues = {}
for number, queue in items() do
  local claimed, oldest = 0, {}
  for _, stream in ipairs(streams_of(queue.name)) do
    local its_claimed, entry = claimed_in(stream)
    claimed = claimed + its_claimed
    if entry then
      oldest[#oldest + 1] = entry[1]
      oldest[#oldest + 1] = entry[2][2]
    end
  end
  local next_owner = redis.call('ZRANGE', key_of(queue.name, 'turns'), 0, 0)[1]
  for _, entry in ipairs(next_owner and redis.call('XRANGE', key_of(queue.name, 'of:' .. next_owner), '-', '+', 'COUNT', 1) or {}) do
    oldest[#oldest + 1] = ''
    oldest[#oldest + 1] = entry[2][2]
  end
  local rows = state_of(queue.name).rows
  queues[number] = {math.max(waiting(queue.name) - claimed, 0), rows, claimed, oldest, alive(consumers_key(queue.name))}
end
return {now_text, alive(set), queues}
