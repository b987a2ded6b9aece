-- Takes jobs from the line for one child. KEYS: line. ARGV: child, bell, rows to take, ms kept; entry, id and rows
-- of a job that the child has read from the line already (or none).
-- Returns for each job: stream, entry, id, attempt, model, sha, inputs, rows given up.
-- A job whose worker was lost comes alone: if it is what killed the worker, it takes no other with it.

local MOST_JOBS, MOST_ENTRIES = 256, 4096  -- so that nobody's post waits long behind a claim

local line, lost = KEYS[1], again(KEYS[1])
local child, bell, wanted, retention = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local jobs, rows, entries, rows_read = {}, 0, 0, 0

local function start(stream, entry, id, its_rows)
  local key = key_of(id)
  local record = redis.call('HMGET', key, 'status', 'model', 'sha', 'inputs', 'attempt', 'lost', 'reason', 'deadline')
  entries, rows_read = entries + 1, rows_read + its_rows
  local late = overdue(record[1], record[8], record[5])
  if late then end_overdue(id, look(id), retention) end
  if late or record[1] ~= 'queued' then
    leave(stream, entry)
    return
  end
  local attempt = whole((record[5] or 0) + 1)
  redis.call('HSET', key, 'status', 'running', 'started', now_text, 'attempt', attempt)
  count('attempts|' .. attempt)
  if record[7] then redis.call('HDEL', key, 'reason') end
  jobs[#jobs + 1] = {stream, entry, id, attempt, record[2], record[3], record[4], record[6] or ''}
  rows = rows + its_rows
end

local function take(stream, count)
  local read = redis.call('XREADGROUP', 'GROUP', GROUP, child, 'COUNT', count, 'STREAMS', stream, '>')
  if not read then return false end
  for _, item in ipairs(read[1][2]) do start(stream, item[1], item[2][2], tonumber(item[2][4])) end
  return true
end

-- A list may have 1,000 rows: by those read so far, as many entries as should make what is still wanted.
local function next_count()
  if entries == 0 then return 1 end
  return math.min(math.ceil((wanted - rows) * entries / rows_read), 16)
end

if bell ~= '' then redis.call('SET', CLAIM_ROWS, ARGV[3]) end
if ARGV[5] then
  -- Unless the sweeper took it back meanwhile.
  if #redis.call('XPENDING', line, GROUP, ARGV[5], ARGV[5], 1, child) > 0 then
    start(line, ARGV[5], ARGV[6], tonumber(ARGV[7]))
  end
else
  while #jobs == 0 and take(lost, 1) do end
end
if ARGV[5] or #jobs == 0 then
  while rows < wanted and #jobs < MOST_JOBS and entries < MOST_ENTRIES and take(line, next_count()) do end
end
close()
if rows_read > 0 then count_rows(line, -rows_read) end
if #jobs > 0 and bell ~= '' then redis.call('ZADD', BELLS, whole(now + ANSWER_LAPSES), bell) end
return jobs
