-- Takes jobs from the line for one child. KEYS: line. ARGV: child, bell, rows to take; entry, id and rows of a job
-- that the child has read from the line already (or none).
-- Returns for each job: stream, entry, id, attempt, model, sha, inputs, rows given up.
-- A job whose worker was lost comes alone: if it is what killed the worker, it takes no other with it.

local line, lost = KEYS[1], again(KEYS[1])
local child, bell, wanted = ARGV[1], ARGV[2], tonumber(ARGV[3])
local jobs, rows = {}, 0
local MOST_JOBS = 256  -- so that nobody's post waits long behind a claim

local function start(stream, entry, id)
  local key = key_of(id)
  local record = redis.call('HMGET', key, 'status', 'model', 'sha', 'inputs', 'attempt', 'lost')
  if record[1] ~= 'queued' then
    leave(stream, entry)
    return
  end
  local attempt = whole((record[5] or 0) + 1)
  redis.call('HSET', key, 'status', 'running', 'started', now_text, 'attempt', attempt)
  jobs[#jobs + 1] = {stream, entry, id, attempt, record[2], record[3], record[4], record[6] or ''}
end

local function take(stream, count)
  local read = redis.call('XREADGROUP', 'GROUP', GROUP, child, 'COUNT', count, 'STREAMS', stream, '>')
  if not read then return 0 end
  for _, item in ipairs(read[1][2]) do
    start(stream, item[1], item[2][2])
    rows = rows + tonumber(item[2][4])
  end
  return #read[1][2]
end

redis.call('SET', CLAIM_ROWS, ARGV[3])
if ARGV[4] then
  -- Unless the sweeper took it back meanwhile.
  if #redis.call('XPENDING', line, GROUP, ARGV[4], ARGV[4], 1, child) > 0 then
    start(line, ARGV[4], ARGV[5])
    rows = tonumber(ARGV[6])
  end
end
if ARGV[4] or take(lost, 1) == 0 then
  -- A list may have 1,000 rows: taken a few at a time, a claim stays near to what was wanted.
  while rows < wanted and #jobs < MOST_JOBS and take(line, math.min(16, wanted - rows)) > 0 do end
end
close()
if rows > 0 then count_rows(line, -rows) end
if #jobs > 0 then redis.call('ZADD', BELLS, whole(now + BELL_LAPSES), bell) end
return jobs
