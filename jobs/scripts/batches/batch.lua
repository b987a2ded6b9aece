-- A batch's record, its tasks, and all that may happen to them. Every other script here begins with either.lua and
-- this file.
-- jobs/batch_status.py draws the state machine.
--
--   job:<id>          hash    v status model sha owner asked size metadata deadline once; from the plan on layout
--                             chunks total next; rows failed bytes (of what is done); started finished
--                             expires error; hidden (of a dry run, which is in no list)
--   job:<id>:plan     list    its chunks, in order
--   job:<id>:done     hash    of each chunk that is done: rows, failed
--   job:<id>:out      set     chunks that are in the line or in the hands of a child
--   job:<id>:tries    hash    how many children have taken each task; not those after whom a slice of a chunk was found
--                             under trial
--   job:<id>:trials   hash    of each chunk that children were lost with: the slices of rows that they had noted; and,
--                             as '<chunk> trying', the slice that is under trial
--   batches:of:<owner>     zset  the owner's batches: 16 bytes of id, which begin with the time of creation
--   once:<owner>:<digest>  string  what a caller's Idempotency-Key stands for: id and 16 bytes of the body's hash;
--                             while the body arrives, MAKING and the id
--   line:batches      stream  tasks that wait: id of the batch, and what is to be done: plan, a chunk's number, join
--   batches:open      set     batches that have not ended
--   batches:open:<owner>   zset  those of the owner, by the time when they were accepted
--   batches:later     string  how many chunks are planned that are not in the line yet
--   batches:files     zset    batches whose files are to be removed, by when
--   batches:bells     zset    bells that are out, by the time when they lapse
--   batches:children  zset    children of workers that live, by the time when they lapse
--   batches:swept     string  there for as long as nobody else need sweep

local LINE = 'line:batches'
local OPEN, LATER, FILES = 'batches:open', 'batches:later', 'batches:files'
local BELLS, CHILDREN, SWEPT = 'batches:wake_ups', 'batches:children', 'batches:swept'
local MAKING = 'making '
local LIST_KEPT = 30 * 86400000  -- after the owner's last post

local function owned_by(owner) return 'batches:of:' .. owner end
local function open_of(owner) return 'batches:open:' .. owner end
local function id_of(raw) return id_from('batch_', raw) end

local function count(metric, times)
  redis.call('HINCRBY', METRICS, metric, times)
end

local function add_task(id, task)
  redis.call('XADD', LINE, '*', 'id', id, 'task', task)
end

local function leave(entry)
  redis.call('XACK', LINE, GROUP, entry)
  redis.call('XDEL', LINE, entry)
end

-- Final is final: only this ends a batch, and the caller has seen that it has not ended.
local function end_batch(id, status, retention, error)
  local key = key_of(id)
  local model, owner, once, hidden, chunks, upcoming =
    unpack(redis.call('HMGET', key, 'model', 'owner', 'once', 'hidden', 'chunks', 'next'))
  redis.call('HSET', key, 'status', status, 'finished', now_text, 'expires', whole(now + retention))
  if error ~= '' then redis.call('HSET', key, 'error', error) end
  redis.call('DEL', key .. ':plan', key .. ':done', key .. ':out', key .. ':tries', key .. ':trials')
  redis.call('SREM', OPEN, id)
  redis.call('ZREM', open_of(owner), id)
  if chunks then redis.call('DECRBY', LATER, chunks - upcoming) end
  if redis.call('SCARD', OPEN) == 0 then redis.call('DEL', LATER) end  -- makes good what was lost track of
  redis.call('ZADD', FILES, whole(now + retention), id)
  redis.call('PEXPIRE', key, retention)
  if once then redis.call('PEXPIRE', once, retention) end
  if not hidden then count('batches_ended|' .. model .. '|' .. status, 1) end
end

-- Why one more batch of an owner is refused: {'over', the one of his that has been open longest} or {'full'}; false if it
-- is not.
local function refusal(owner, most, most_of_owner)
  local open = open_of(owner)
  if most_of_owner > 0 and redis.call('ZCARD', open) >= most_of_owner then
    return {'over', redis.call('ZRANGE', open, 0, 0)[1]}
  end
  return redis.call('SCARD', OPEN) >= most and {'full'}
end

-- One that was not started by its deadline is ended by whoever sees it first.
local function expire_overdue(id, retention)
  local status, deadline = unpack(redis.call('HMGET', key_of(id), 'status', 'deadline'))
  if deadline and tonumber(deadline) <= now and (status == 'validating' or status == 'queued') then
    end_batch(id, 'expired', retention, '{"type":"deadline_passed","detail":"no worker took it by its deadline"}')
  end
end

-- So many chunks of a batch are in the line at a time: enough for all children, few enough to let others in between.
local function in_line_at_once()
  return math.max(2 * redis.call('ZCOUNT', CHILDREN, now_text, '+inf'), 2)
end

-- Puts the next chunks of a batch into the line, behind those of others; at its end the joining of all parts.
local function go_on(id)
  local key = key_of(id)
  local status, upcoming, chunks = unpack(redis.call('HMGET', key, 'status', 'next', 'chunks'))
  upcoming, chunks = tonumber(upcoming), tonumber(chunks)
  local out = redis.call('SCARD', key .. ':out')
  if status == 'queued' or status == 'running' then
    local most, first = in_line_at_once(), upcoming
    while upcoming < chunks and out < most do
      add_task(id, upcoming)
      redis.call('SADD', key .. ':out', upcoming)
      upcoming, out = upcoming + 1, out + 1
    end
    redis.call('HSET', key, 'next', upcoming)
    redis.call('DECRBY', LATER, upcoming - first)
    if out == 0 then
      redis.call('HSET', key, 'status', 'finalizing')
      add_task(id, 'join')
    end
  elseif status == 'canceling' and out == 0 then
    add_task(id, 'join')
  end
end

-- A chunk cannot be scored: the batch will have failed, and keeps what its other chunks give. If it is the last, no
-- more of them are begun.
local function fail_chunk(id, chunk, error, last)
  local key = key_of(id)
  if redis.call('SREM', key .. ':out', chunk) == 0 then return end
  local status, chunks, upcoming = unpack(redis.call('HMGET', key, 'status', 'chunks', 'next'))
  if status == 'running' then
    redis.call('HSETNX', key, 'error', error)
    if last then
      redis.call('HSET', key, 'next', chunks)
      redis.call('DECRBY', LATER, chunks - upcoming)
    end
  end
  go_on(id)
end

-- The fields that jobs/batches.py reads, in its order; none is set if there is no such batch.
local function read_record(id, retention)
  expire_overdue(id, retention)
  return redis.call('HMGET', key_of(id), 'v', 'status', 'model', 'sha', 'owner', 'asked', 'size', 'total', 'rows',
                    'failed', 'bytes', 'started', 'finished', 'expires', 'error', 'metadata', 'deadline')
end

-- Notes the bells, as out, that the caller is about to ring: one for each task that waits, at most one for each
-- child that lives.
local function ring(names)
  local waiting = redis.call('XLEN', LINE)
  if waiting == 0 then return {} end
  waiting = waiting - redis.call('XPENDING', LINE, GROUP)[1]
  redis.call('ZREMRANGEBYSCORE', BELLS, '-inf', now_text)
  local wanted = math.min(waiting, redis.call('ZCOUNT', CHILDREN, now_text, '+inf')) - redis.call('ZCARD', BELLS)
  local rung = {}
  for i = 1, math.min(wanted, #names) do
    redis.call('ZADD', BELLS, whole(now + BELL_LAPSES), names[i])
    rung[i] = names[i]
  end
  if #rung > 0 then count('batch_wake_ups', #rung) end
  return rung
end
