-- Takes back what was claimed longer ago than its lease, and says which bells to ring.
-- KEYS: line. ARGV: lease ms, attempts, ms kept, error of a lost job, then names for bells.
-- Returns {jobs taken back, jobs given up, bells}; nothing of each if another has just swept.

if not redis.call('SET', SWEPT, now_text, 'NX', 'PX', 1500) then return {0, 0, {}} end

local MOST = 1000  -- of each stream; the next sweep goes on
local CONSUMER_IDLE = 3600000

local line = KEYS[1]
local lease, attempts, retention = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local back, given_up = 0, 0

local function take_back(line, stream, entry, fields)
  local id = fields[2]
  local key = key_of(id)
  local seen = look(id)
  -- A list on its last attempt is tried row by row: it loses the row that was under way, and goes on.
  if seen.trying then
    redis.call('HSET', key, 'lost', seen.lost and seen.lost .. ' ' .. seen.trying or seen.trying)
    redis.call('HDEL', key, 'trying')
  end
  if seen.status == 'running' and tonumber(seen.attempt) >= attempts and not seen.trying then
    end_job(id, seen, 'failed', retention, '', seen.reason or ARGV[4])
    given_up = given_up + 1
    count('swept|given_up')
  elseif seen.status == 'running' or seen.status == 'queued' then
    redis.call('HSET', key, 'status', 'queued')
    redis.call('HDEL', key, 'started', 'place')
    redis.call('XADD', again(line), '*', unpack(fields))
    if seen.status == 'running' then count_rows(line, fields[4]) end
    back = back + 1
    count('swept|taken_back')
  end
  leave(stream, entry)
end

local function sweep(line, stream)
  local cursor, found = '0-0', nil
  local taken = 0
  repeat
    cursor, found = unpack(redis.call('XAUTOCLAIM', stream, GROUP, 'sweeper', lease, cursor, 'COUNT', 100))
    for _, item in ipairs(found) do take_back(line, stream, item[1], item[2]) end
    taken = taken + #found
  until cursor == '0-0' or taken >= MOST
end

-- Every child that ever claimed is a consumer of the group, until it is forgotten.
local function forget_consumers(stream)
  for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', stream, GROUP)) do
    local _, name, _, pending, _, idle = unpack(consumer)
    if pending == 0 and idle > CONSUMER_IDLE then redis.call('XGROUP', 'DELCONSUMER', stream, GROUP, name) end
  end
end

local function expire_overdue()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', DEADLINES, '-inf', now_text, 'LIMIT', 0, MOST)) do
    local seen = look(id)
    if overdue(seen.status, seen.deadline, seen.attempt) then
      expire(line, id, retention)
    else
      redis.call('ZREM', DEADLINES, id)
    end
  end
end

count('sweeps')
expire_overdue()
for _, one in ipairs({line, explained(line)}) do
  for _, stream in ipairs({one, again(one)}) do
    sweep(one, stream)
    forget_consumers(stream)
  end
end
if waiting(explained(line)) == 0 then redis.call('DEL', rows_of(explained(line))) end
close()

local names = {}
for i = 5, #ARGV do names[#names + 1] = ARGV[i] end
return {back, given_up, ring(line, names)}
