-- What the scripts of jobs of every kind share, and the keys of jobs, queues, owners and processes; the file of each kind,
-- webhooks/outbox.lua and dead/letters.lua list the others. A file of definitions names those that it builds on, as a script
-- does; the loader keeps only the definitions that a script uses.
--
--   job:<id>                 hash    the record of a job; the file of its kind lists the fields
--   <kind>:of:<owner>        zset    the owner's jobs: the 16 bytes of each id, which begin with the time of creation
--   idempotency:<owner>:<digest>  string  what an Idempotency-Key stands for: a job's id and 16 bytes of the body's hash;
--                                    while the body of a batch arrives, CREATING and the id
--   queue:<name>             stream  entries that wait: the job's id, its rows, and for batches the task
--   queue:<name>:retry       stream  entries of predictions whose worker was lost: each is claimed alone
--   queue:<name>:first       stream  entries that come first, with the owner of each
--   queue:<name>:of:<owner>  stream  entries of the owner that wait for their turns, numbered by the rows before each
--   queue:<name>:numbered    hash    how many rows were put into each of these since it was empty
--   queue:<name>:turns       zset    owners with such entries, by the rows that will have been given when they have a turn
--   queue:<name>:given       string  how many rows were given so far, by the same count
--   queue:<name>:crowded     string  exists for a short time after an owner began to wait beside another
--   queue:<name>:behind      string  how many such entries there are
--   queue:<name>:rows        string  how many rows wait in all of these streams
--   queue:<name>:unreadable  string  how many entries could not be read since the sweeper last said so
--   queue:<name>:wake_ups    zset    wake-ups that were sent or are being answered, by the time when they expire
--   queue:<name>:consumers   zset    consumers that are alive, by the time when they expire
--   queue:<name>:claim_rows  string  how many rows a consumer claims at once
--   queue:<name>:deadlines   zset    jobs that must start in time, by their deadline
--   queue:<name>:swept       string  when the queue was last swept; no worker sweeps again for a short time
--   <stream>:looked_at       string  where a sweep has stopped to look for leases that began in the future; the next goes on
--   kept:<owner>             hash    about how many bytes expire of the owner's jobs, by the minute
--   kept                     zset    owners of whose jobs something is kept, by the time when all of it has expired
--   rate:<owner>:<minute>    string  how many rows the owner has posted in this minute, where that is limited
--   web_processes            zset    web processes that are alive, by the time when they expire
--   processes                hash    what each web process and consumer reports: release, rows per second; a child process
--                                    that serves two queues has a field for each
--   metrics                  hash    counters (jobs/metrics.py)
--   store:rewritten          string  exists until the append-only file is to be rewritten again (worker/sweeper.py)

local GROUP = 'workers'
local PROCESSES = 'processes'
local METRICS = 'metrics'
local KEPT = 'kept'
local ALIVE_MS = 5000  -- a process that has not reported for this long counts as dead
local LIST_KEPT_MS = 30 * 86400000  -- how long an owner's list is kept after the last job was added

local function whole(number) return string.format('%.0f', number) end

-- A whole number that we wrote; nil for anything else. tonumber() would take "inf", "0x10" and "2.5", too.
local function whole_in(text)
  local digits = string.match(tostring(text), '^%-?%d+$')
  return digits and #digits <= 16 and tonumber(digits) or nil
end

local function job_key(id) return 'job:' .. id end
local function kept_key(owner) return 'kept:' .. owner end
local function rate_key(owner, minute) return 'rate:' .. owner .. ':' .. whole(minute) end
local function stream_key(queue) return 'queue:' .. queue end
local function retry_key(queue) return 'queue:' .. queue .. ':retry' end
local function first_key(queue) return 'queue:' .. queue .. ':first' end
local function streams_of(queue) return {stream_key(queue), retry_key(queue), first_key(queue)} end
local function key_of(queue, part) return 'queue:' .. queue .. ':' .. part end
local function rows_key(queue) return 'queue:' .. queue .. ':rows' end
local function wake_ups_key(queue) return 'queue:' .. queue .. ':wake_ups' end
local function consumers_key(queue) return 'queue:' .. queue .. ':consumers' end
local function claim_rows_key(queue) return 'queue:' .. queue .. ':claim_rows' end
local function deadlines_key(queue) return 'queue:' .. queue .. ':deadlines' end
local function swept_key(queue) return 'queue:' .. queue .. ':swept' end
local function looked_at_key(stream) return stream .. ':looked_at' end

-- A process may be in several sets, as consumer of several queues.
local function process_field(set, name) return set .. ' ' .. name end

-- The number before the dash of the last id that a stream has given.
local function last_position(queue)
  local found = redis.pcall('XINFO', 'STREAM', stream_key(queue))
  for at = 1, #found, 2 do
    if found[at] == 'last-generated-id' then return tonumber(string.match(found[at + 1], '^%d+')) end
  end
  return 0
end

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local now_text = whole(now)

-- Lua passes at most some 8,000 arguments in one call.
local function in_slices(list, call)
  for first = 1, #list, 1000 do call(unpack(list, first, math.min(first + 999, #list))) end
end

local function append(lists, name, value)
  local list = lists[name]
  if list then list[#list + 1] = value else lists[name] = {value} end
end

-- A member of a set by expiry is live until then. One that is to live longer than any can was added before the clock was set
-- back, and counts as lapsed.
local function count_live(set, longest_ms) return redis.call('ZCOUNT', set, now_text, whole(now + longest_ms)) end

-- Removes and returns the members that are not live.
local function drop_lapsed(set, longest_ms)
  local lapsed = redis.call('ZRANGEBYSCORE', set, '-inf', now_text)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', set, '(' .. whole(now + longest_ms), '+inf')) do
    lapsed[#lapsed + 1] = member
  end
  in_slices(lapsed, function(...) redis.call('ZREM', set, ...) end)
  return lapsed
end

-- Ids ----------------------------------------------------------------------------------------------------------------

-- The id that these 16 bytes stand for; `prefix` names the kind of job.
local function id_from(prefix, raw)
  local hex = string.gsub(raw, '.', function(c) return string.format('%02x', string.byte(c)) end)
  return prefix .. string.gsub(hex, '^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)', '%1-%2-%3-%4-')
end

-- The first six bytes of an id that was made at this time.
local function first_bytes(time)
  local function byte(position) return math.floor(time / 256 ^ position) % 256 end
  return string.char(byte(5), byte(4), byte(3), byte(2), byte(1), byte(0))
end

-- Kept bytes ---------------------------------------------------------------------------------------------------------

local JOB_BYTES = 500  -- what the record and the list entry of a job take, without inputs, outputs and error

local function minute_of(time) return math.floor(time / 60000) end

-- Counts bytes of an owner that expire at this time, negative for those that are removed before it.
local function count_kept(owner, expires, bytes)
  if not tonumber(expires) then return end
  local key = kept_key(owner)
  if redis.call('HINCRBY', key, whole(minute_of(expires)), bytes) ~= bytes then return end
  redis.call('PEXPIREAT', key, whole(expires + 60000))
  redis.call('ZREMRANGEBYSCORE', KEPT, '-inf', now_text)
  redis.call('ZADD', KEPT, whole(expires + 60000), owner)
end

-- Effects that wait for commit() -------------------------------------------------------------------------------------

local acknowledged = {}  -- stream -> entries
local messages = {}  -- channel -> messages
local counted = {}  -- metric -> times
local bytes_kept = {}  -- owner -> bytes of jobs that end, and when they expire

local function acknowledge(stream, entry) append(acknowledged, stream, entry) end

local function count(metric, times) counted[metric] = (counted[metric] or 0) + (times or 1) end

-- The last call of a script, after its records are written: removes entries that are done, publishes messages, adds to the
-- metrics. A count that cannot be read stops nothing.
local function commit()
  for stream, entries in pairs(acknowledged) do
    in_slices(entries, function(...)
      redis.call('XACK', stream, GROUP, ...)
      redis.call('XDEL', stream, ...)
    end)
  end
  for channel, ended in pairs(messages) do redis.call('PUBLISH', channel, table.concat(ended, '\n')) end
  for metric, times in pairs(counted) do redis.pcall('HINCRBY', METRICS, metric, times) end
  for owner, its in pairs(bytes_kept) do pcall(count_kept, owner, its.expires, its.bytes) end
end

-- Entries that cannot be read ----------------------------------------------------------------------------------------

local function unreadable_key(queue) return 'queue:' .. queue .. ':unreadable' end

-- How many rows an entry has; one if it does not say so as we write it.
local function rows_in(fields) return math.max(whole_in(fields[4]) or 1, 1) end

-- Removes an entry that could not be read, and calls `give_up`, which ends its job if that is possible.
local function give_up_entry(queue, stream, entry, id, give_up)
  acknowledge(stream, entry)
  count('swept|' .. queue .. '|unreadable')
  redis.pcall('INCR', unreadable_key(queue))
  pcall(give_up, id)
end

-- Makes the function that passes an entry to `step`. Redis is not trusted: if the entry or its record cannot be read, this entry
-- alone is given up.
local function guarded(queue, step, give_up)
  return function(stream, entry, fields)
    local ok, result = (whole_in(fields[4]) or 0) >= 1, nil
    if ok then ok, result = pcall(step, stream, entry, fields) end
    if ok then return result end
    give_up_entry(queue, stream, entry, fields[2], give_up)
    return nil
  end
end
