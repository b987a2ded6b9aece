-- A job's record, and all that may happen to it. Every other script begins with either.lua and this file, so that
-- there is one place that knows the state machine (jobs/status.py draws it) and the names of the keys.
--
--   job:<id>          hash    v status model sha owner inputs place attempt started finished expires outputs
--                             error metadata watchers deadline once (the key below), explained (its place in
--                             the line of those to be explained, if it is one of them), reason (why it
--                             was given back); of a list: rows (how many, if several); of one that workers were
--                             lost with: trying (the row under way), lost (those given up)
--   jobs:<owner>      zset    the owner's jobs: 16 bytes of id, which begin with the time of creation
--   once:<owner>:<digest>  string  what a caller's Idempotency-Key stands for: id, 16 bytes of the body's hash
--   deadlines         zset    jobs that must start in time, by their deadline
--   line:predictions  stream  where jobs wait: id, and how many rows it has. Its entries are numbered by
--                             place: how many rows had been put into the line before, and one
--   line:...:explained  stream  where those wait whose predictions are to be explained; all as for the other
--   line:...:again    stream  where jobs wait whose worker was lost: these are claimed one at a time
--   line:...:rows     string  how many rows wait in both
--   line:...:placed   string  how many rows have been put into the line so far
--   rows:<owner>:<minute>  string  how many rows the owner has posted in it, where there is a limit
--   bells             zset    bells that are out, by the time when they lapse
--   children          zset    children of workers that live, by the time when they lapse
--   explainers        zset    their threads that explain, likewise
--   webs              zset    web processes that live, likewise
--   processes         hash    what each of these says of itself: release, rows a second
--   metrics           hash    what has been counted (jobs/metrics.py)
--   claim_rows        string  how many rows a child claims at once
--   swept             string  there for as long as nobody else need sweep

local BELLS = 'wake_ups'
local CHILDREN = 'children'
local EXPLAINERS = 'explainers'
local WEBS = 'webs'
local DEADLINES = 'deadlines'
local CLAIM_ROWS = 'claim_rows'
local SWEPT = 'swept'
local ANSWER_LAPSES = 2000  -- if the child that answers it claims no more, nor withdraws it: it is lost

local function again(line) return line .. ':again' end
local function explained(line) return line .. ':explained' end
local function rows_of(line) return line .. ':rows' end
local function placed_of(line) return line .. ':placed' end
local function owned_by(owner) return 'jobs:' .. owner end
local function id_of(raw) return id_from('pred_', raw) end

-- Who watches is told how a job ended, in these lines (jobs/record.py reads them): id, status, attempt, started,
-- finished, expires, outputs, error. Long outputs he is to read himself.
local told_to = {}  -- channel -> jobs
local LONGEST_TOLD = 4096
local UNTOLD = '-'

local left = {}  -- stream -> entries
local counted = {}  -- metric -> times

-- Lua passes some 8,000 values at most.
local function in_slices(list, call)
  for at = 1, #list, 1000 do call(unpack(list, at, math.min(at + 999, #list))) end
end

local function append(lists, name, value)
  local list = lists[name]
  if list then list[#list + 1] = value else lists[name] = {value} end
end

local function count(metric)
  counted[metric] = (counted[metric] or 0) + 1
end

-- One call for all of a record: the fields given, and those of the others that are not empty.
local function write(key, fields, others)
  for name, value in pairs(others) do
    if value ~= '' then fields[#fields + 1], fields[#fields + 2] = name, value end
  end
  redis.call('HSET', key, unpack(fields))
end

-- What the scripts that change a job look at first.
local function look(id)
  local seen = redis.call('HMGET', key_of(id), 'status', 'model', 'attempt', 'started', 'watchers', 'deadline', 'once',
                          'reason', 'trying', 'lost')
  return {status = seen[1], model = seen[2], attempt = seen[3], started = seen[4], watchers = seen[5],
          deadline = seen[6], once = seen[7], reason = seen[8], trying = seen[9], lost = seen[10]}
end

-- Final is final: only this ends a job, and the caller has seen its status. Empty outputs or error: none.
local function end_job(id, seen, status, retention, outputs, error)
  local key = key_of(id)
  local expires = whole(now + retention)
  redis.call('HDEL', key, 'inputs', 'place', 'watchers', 'reason', 'trying', 'lost')
  write(key, {'status', status, 'finished', now_text, 'expires', expires}, {outputs = outputs, error = error})
  redis.call('PEXPIRE', key, retention)
  if seen.once then redis.call('PEXPIRE', seen.once, retention) end
  if seen.deadline then redis.call('ZREM', DEADLINES, id) end
  count('jobs_ended|' .. seen.model .. '|' .. status)
  if seen.watchers then
    if #outputs > LONGEST_TOLD then outputs = UNTOLD end
    local told = table.concat({id, status, seen.attempt or '0', seen.started or '', now_text, expires, outputs, error}, '\n')
    for channel in string.gmatch(seen.watchers, '%S+') do append(told_to, channel, told) end
  end
end

local function leave(stream, entry)
  append(left, stream, entry)
end

-- Once all is written: the entries that are done leave the line, who watches is told, and what happened is counted.
local function close()
  for stream, entries in pairs(left) do
    in_slices(entries, function(...)
      redis.call('XACK', stream, GROUP, ...)
      redis.call('XDEL', stream, ...)
    end)
  end
  for channel, jobs in pairs(told_to) do
    redis.call('PUBLISH', channel, table.concat(jobs, '\n'))
  end
  for metric, times in pairs(counted) do redis.call('HINCRBY', METRICS, metric, times) end
end

-- Where a job waits: its line, and its place there.
local function whereabouts(line, place, explained_place)
  if explained_place then return explained(line), explained_place end
  return line, place
end

-- A job that is queued and will not be claimed leaves the line at once. One whose worker was lost, or that a child
-- is just reading, is dropped by the child that gets it.
local function withdraw(line, id)
  local line, place = whereabouts(line, unpack(redis.call('HMGET', key_of(id), 'place', 'explained')))
  if not place then return end
  local entry = place .. '-0'
  local found = redis.call('XRANGE', line, entry, entry)[1]
  if found then
    leave(line, entry)
    redis.call('DECRBY', rows_of(line), found[2][4])
  end
end

-- One that was started once has met its deadline, even if its worker was lost.
local function overdue(status, deadline, attempt)
  return status == 'queued' and deadline and not attempt and tonumber(deadline) <= now
end

-- Whoever sees first that a job was not started by its deadline ends it.
local function end_overdue(id, seen, retention)
  end_job(id, seen, 'expired', retention, '', '{"type":"deadline_passed","detail":"no worker took it by its deadline"}')
end

local function expire(line, id, retention)
  withdraw(line, id)
  end_overdue(id, look(id), retention)
end

local rows_taken = {}  -- line -> rows that have left it so far
local function position(line, place)
  if not rows_taken[line] then
    local waiting = math.max(tonumber(redis.call('GET', rows_of(line)) or 0), 0)
    rows_taken[line] = (redis.call('GET', placed_of(line)) or 0) - waiting
  end
  return whole(math.max(place - rows_taken[line], 1))
end

-- The fields that jobs/record.py reads, in its order; none is set if there is no such job.
local function read_record(line, id, retention)
  local function read()
    return redis.call('HMGET', key_of(id), 'v', 'status', 'model', 'sha', 'owner', 'attempt', 'started', 'finished',
                      'expires', 'outputs', 'error', 'metadata', 'deadline', 'place', 'explained', 'rows')
  end
  local record = read()
  if overdue(record[2], record[13], record[6]) then
    expire(line, id, retention)
    record = read()
  end
  local its_line, place = whereabouts(line, record[14], record[15])
  record[14] = record[2] == 'queued' and position(its_line, place or 0)
  return record
end

local function waiting(line)
  return redis.call('XLEN', line) + redis.call('XLEN', again(line))
end

local function waiting_in_both(line) return waiting(line) + waiting(explained(line)) end

-- Rows that wait to be claimed, for the bells; what is lost track of is made good whenever the line is empty.
local function count_rows(line, rows)
  return redis.call('INCRBY', rows_of(line), rows)
end

-- How many bells to ring now: one for each claim's worth of rows, at most one for each child that lives.
local function bells_short(line)
  if waiting(line) == 0 then
    redis.call('DEL', rows_of(line))
    return 0
  end
  redis.call('ZREMRANGEBYSCORE', BELLS, '-inf', now_text)
  local rows, claim_rows = redis.call('GET', rows_of(line)), redis.call('GET', CLAIM_ROWS)
  local children = redis.call('ZCOUNT', CHILDREN, now_text, '+inf')
  local wanted = math.min(math.max(math.ceil((rows or 0) / (claim_rows or 1000)), 1), children)
  return math.max(wanted - redis.call('ZCARD', BELLS), 0)
end

-- Notes the bells, as out, that the caller is about to ring; of each the name that it gave.
local function ring(line, names)
  local rung = {}
  for i = 1, math.min(bells_short(line), #names) do
    redis.call('ZADD', BELLS, whole(now + BELL_LAPSES), names[i])
    rung[i] = names[i]
  end
  if #rung > 0 then redis.call('HINCRBY', METRICS, 'wake_ups', #rung) end
  return rung
end
