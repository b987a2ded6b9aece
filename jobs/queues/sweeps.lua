-- Sweeps: what was claimed longer ago than the lease, and what has met its deadline.
-- @include queues/common

local SWEEP_AGAIN_MS = 1500
local CLOCK_SET_AHEAD_MS = 300000  -- since the last sweep; nothing else explains such a time
local MOST_LOOKED_AT = 1000  -- claimed entries of a stream, in one sweep
local CONSUMER_IDLE_MS = 3600000  -- after which an idle consumer is removed from the consumer group

local ANY_TIME = '-1000000000000'  -- as the least idle time: entries are claimed even if the clock says that this was in the future

-- From where this sweep looks on: after the entry that the last one has seen last, or from the first.
local function look_from(stream)
  local found = redis.pcall('GET', looked_at_key(stream))
  local time, number = string.match(type(found) == 'string' and found or '', '^(%d+)%-(%d+)$')
  return whole_in(time) and whole_in(number) and '(' .. found or '-'
end

-- Begins leases of a stream anew: of `all` entries, or of those that were claimed in the future, before the clock was set back.
-- Redis says of these that they were claimed just now. How long ago an entry was claimed is unknown once the clock was set:
-- Redis compares two times of that clock. Unless it is for all, a sweep looks at MOST_LOOKED_AT, and the next goes on there.
local function restart_leases(stream, all)
  local begin = all and '-' or look_from(stream)
  local from = begin
  repeat
    local claimed = redis.call('XPENDING', stream, GROUP, from, '+', MOST_LOOKED_AT)
    for _, entry in ipairs(claimed) do
      if all or entry[3] <= 0 then
        redis.call('XCLAIM', stream, GROUP, entry[2], ANY_TIME, entry[1], 'IDLE', 0, 'JUSTID')
      end
    end
    local last = claimed[MOST_LOOKED_AT]
    from = last and '(' .. last[1]
    if last and not all then redis.call('SET', looked_at_key(stream), last[1]) end
  until not from or not all
  if not from and begin ~= '-' then redis.call('DEL', looked_at_key(stream)) end
end

local COUNTS = {rows = '^%-?%d+$', behind = '^%-?%d+$', claim_rows = '^%d+$', added = '^%d+$', given = '^%d+%.?%d*$'}

-- Removes each count of the queue that is not as we write it, on which every script would fail. Returns whether there was one.
local function drop_unreadable_counts(queue)
  local dropped = false
  for part, pattern in pairs(COUNTS) do
    local found = redis.pcall('GET', key_of(queue, part))
    if found and (type(found) == 'table' or #found > 16 or not string.find(found, pattern)) then
      redis.call('DEL', key_of(queue, part))
      dropped = true
    end
  end
  return dropped
end

-- Redis is not trusted: what cannot be read is counted anew, rows as if each entry had one.
local function mend_counts(queue)
  local dropped = drop_unreadable_counts(queue)
  local added = whole_in(redis.call('GET', key_of(queue, 'added')))
  if added and added < last_position(queue) then redis.call('DEL', key_of(queue, 'added')) end
  if not dropped then return end
  local behind = 0
  for _, owner in ipairs(redis.call('ZRANGE', key_of(queue, 'turns'), 0, -1)) do
    behind = behind + redis.call('XLEN', key_of(queue, 'of:' .. owner))
  end
  local entries = behind
  for _, stream in ipairs(streams_of(queue)) do entries = entries + redis.call('XLEN', stream) end
  redis.call('MSET', key_of(queue, 'behind'), behind, rows_key(queue), entries)
  redis.call('INCR', unreadable_key(queue))
end

-- How many entries could not be read since the last sweep that asked.
local function take_unreadable(queue)
  local found = redis.call('GET', unreadable_key(queue))
  redis.call('DEL', unreadable_key(queue))
  return whole_in(found) or 0
end

-- Returns whether this worker is to sweep the queue; false if another has just done so. If the clock seems to have been set
-- ahead since the last sweep, all leases begin anew.
local function may_sweep(queue)
  local since = now - (tonumber(redis.call('GET', swept_key(queue))) or now - SWEEP_AGAIN_MS)
  if since >= 0 and since < SWEEP_AGAIN_MS then return false end
  redis.call('SET', swept_key(queue), now_text)
  mend_counts(queue)
  for _, stream in ipairs(streams_of(queue)) do restart_leases(stream, since > CLOCK_SET_AHEAD_MS) end
  return true
end

-- Passes each entry of the stream that was claimed longer ago than the lease to `requeue(stream, entry, fields)`.
local function sweep_stream(stream, lease_ms, most, requeue)
  local cursor, swept = '0-0', 0
  repeat
    local next_cursor, found = unpack(redis.call('XAUTOCLAIM', stream, GROUP, 'sweeper', lease_ms, cursor, 'COUNT', 100))
    cursor = next_cursor
    for _, item in ipairs(found) do requeue(stream, item[1], item[2]) end
    swept = swept + #found
  until cursor == '0-0' or swept >= most
  -- Redis keeps every consumer in the group until it is removed.
  for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', stream, GROUP)) do
    local _, name, _, pending, _, idle = unpack(consumer)
    if pending == 0 and idle > CONSUMER_IDLE_MS then redis.call('XGROUP', 'DELCONSUMER', stream, GROUP, name) end
  end
end

-- Passes each job whose deadline has passed to `expire(id)`.
local function sweep_deadlines(queue, most, expire)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', deadlines_key(queue), '-inf', now_text, 'LIMIT', 0, most)) do
    pcall(expire, id)  -- what is no job is dropped
    redis.call('ZREM', deadlines_key(queue), id)
  end
end
