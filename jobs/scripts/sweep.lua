-- Takes back what was claimed longer ago than its lease, and says which bells to ring.
-- KEYS: line. ARGV: lease ms, attempts, ms kept, error of a lost job, then names for bells.
-- Returns {jobs taken back, jobs given up, bells}.

local line = KEYS[1]
local lease, attempts, retention = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local back, given_up = 0, 0

local function take_back(stream, entry, fields)
  local id = fields[2]
  local key = key_of(id)
  local record = redis.call('HMGET', key, 'status', 'attempt', 'error', 'trying', 'lost', 'watchers')
  -- A list on its last attempt is tried row by row: it loses the row that was under way, and goes on.
  local trying = record[4]
  if trying then
    redis.call('HSET', key, 'lost', record[5] and record[5] .. ' ' .. trying or trying)
    redis.call('HDEL', key, 'trying')
  end
  if record[1] == 'running' and tonumber(record[2]) >= attempts and not trying then
    end_job(id, record[6], 'failed', retention, '', record[3] or ARGV[4])
    given_up = given_up + 1
  elseif record[1] == 'running' or record[1] == 'queued' then
    redis.call('HSET', key, 'status', 'queued')
    redis.call('XADD', again(line), '*', unpack(fields))
    count_rows(line, fields[4])
    back = back + 1
  end
  leave(stream, entry)
end

for _, stream in ipairs({line, again(line)}) do
  local cursor = '0-0'
  repeat
    local found = redis.call('XAUTOCLAIM', stream, GROUP, 'sweeper', lease, cursor, 'COUNT', 100)
    cursor = found[1]
    for _, item in ipairs(found[2]) do take_back(stream, item[1], item[2]) end
  until cursor == '0-0'
end
close()

local names = {}
for i = 5, #ARGV do names[#names + 1] = ARGV[i] end
return {back, given_up, ring(line, names)}
