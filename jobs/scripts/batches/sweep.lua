-- Takes back tasks whose lease is over. ARGV: lease ms, attempts, ms kept, error of a lost batch, bell names.
-- Returns {tasks taken back, tasks given up, bells, ids whose files are to be removed}; nothing of each if another
-- has just swept.

if not redis.call('SET', SWEPT, now_text, 'NX', 'PX', 1500) then return {0, 0, {}, {}} end

local MOST = 100
local CONSUMER_IDLE = 3600000
local lease, attempts, retention, lost = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local back, given_up = 0, 0

-- A chunk is tried once more after its last attempt: then its rows are given up, and not scored.
local function most_tries(task) return tonumber(task) and attempts + 1 or attempts end

local function take_back(entry, id, task)
  leave(entry)
  local key = key_of(id)
  local status = redis.call('HMGET', key, 'status', 'finished')
  if not status[1] or status[2] then return end
  if tonumber(redis.call('HGET', key .. ':tries', task) or 0) >= most_tries(task) then
    if tonumber(task) then fail_chunk(id, task, lost, false) else end_batch(id, 'failed', retention, lost) end
    given_up = given_up + 1
    count('batch_swept|given_up', 1)
  else
    add_task(id, task)
    back = back + 1
    count('batch_swept|taken_back', 1)
  end
end

count('batch_sweeps', 1)
local _, found = unpack(redis.call('XAUTOCLAIM', LINE, GROUP, 'sweeper', lease, '0-0', 'COUNT', MOST))
for _, item in ipairs(found) do take_back(item[1], item[2][2], item[2][4]) end
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', LINE, GROUP)) do
  local _, name, _, pending, _, idle = unpack(consumer)
  if pending == 0 and idle > CONSUMER_IDLE then redis.call('XGROUP', 'DELCONSUMER', LINE, GROUP, name) end
end

local names = {}
for i = 5, #ARGV do names[#names + 1] = ARGV[i] end
return {back, given_up, ring(names), redis.call('ZRANGEBYSCORE', FILES, '-inf', now_text, 'LIMIT', 0, MOST)}
