-- Accepts jobs: writes each record, puts it into the line, and notes the bells to ring.
-- KEYS: line. ARGV: how many may wait, rows a minute for each owner (0: no limit), ms kept, bell name, then for
-- each job: id, raw id, model, sha, owner, inputs, rows; and, empty if there is none: metadata, watcher, ms until
-- its deadline, digest of the caller's key, hash of the body.
-- Returns {verdicts, bells, rows that waited before, and rows that waited to be explained}. A verdict is 'ok', or
-- 'until' and the deadline, 'same' and the id of the job that the key stands for, 'reused', 'full', 'never', or 'over'
-- and the seconds until the owner may post again. Adding a job that is there already changes nothing, so a repeated
-- call does no harm.

local line = KEYS[1]
local room = tonumber(ARGV[1]) - waiting_in_both(line)
local limit, retention, bell = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local LIST_KEPT = 30 * 86400000  -- after the owner's last post
local minute = math.floor(now / 60000)

-- A line of an earlier release has no count, and entries that are numbered by time.
local function last_number(line)
  local found = redis.pcall('XINFO', 'STREAM', line)
  for at = 1, #found, 2 do
    if found[at] == 'last-generated-id' then return string.match(found[at + 1], '^%d+') end
  end
  return 0
end

local placed, new_rows = {}, {}  -- line -> rows put into it so far, and now
local function next_place(line, rows)
  placed[line] = placed[line] or tonumber(redis.call('GET', placed_of(line)) or last_number(line))
  local place = whole(placed[line] + 1)
  placed[line] = placed[line] + rows
  new_rows[line] = (new_rows[line] or 0) + rows
  return place
end

local listed_of = {}  -- owner -> raw ids of what is new, each behind its score

local function over_limit(owner, rows)
  if limit == 0 then return false end
  local key = 'rows:' .. owner .. ':' .. whole(minute)
  local used = tonumber(redis.call('GET', key) or 0)
  if used + rows > limit then return true end
  redis.call('INCRBY', key, rows)
  redis.call('PEXPIRE', key, 120000)
  return false
end

-- The verdict on a key that stands for a job already.
local function known_by(once, body)
  local known = once ~= '' and redis.call('GET', once)
  if not known then return nil end
  if string.sub(known, -16) ~= body then return {'reused'} end
  return {'same', string.sub(known, 1, -17)}
end

local function add(id, raw, model, sha, owner, inputs, rows, metadata, watcher, why, start_within, digest, body)
  if redis.call('EXISTS', key_of(id)) == 1 then return 'ok' end
  local once = digest ~= '' and 'once:' .. owner .. ':' .. digest or ''
  local known = known_by(once, body)
  if known then return known end
  if room <= 0 then return {'full'} end
  if limit > 0 and tonumber(rows) > limit then return {'never'} end
  if over_limit(owner, tonumber(rows)) then return {'over', whole(60 - math.floor(now / 1000) % 60)} end
  room = room - 1
  local its_line = why == '' and line or explained(line)
  local place = next_place(its_line, rows)
  local deadline = start_within ~= '' and whole(now + start_within) or ''
  local fields = {'v', '1', 'status', 'queued', 'model', model, 'sha', sha, 'owner', owner, 'inputs', inputs,
                  why == '' and 'place' or 'explained', place}
  local function also(name, value)
    if value ~= '' then fields[#fields + 1], fields[#fields + 2] = name, value end
  end
  also('rows', rows ~= '1' and rows or '')
  also('metadata', metadata)
  also('watchers', watcher)
  also('deadline', deadline)
  also('once', once)
  redis.call('HSET', key_of(id), unpack(fields))
  redis.call('XADD', its_line, place .. '-0', 'id', id, 'rows', rows)
  append(listed_of, owner, 0)
  append(listed_of, owner, raw)
  if once ~= '' then redis.call('SET', once, id .. body) end
  if deadline == '' then return 'ok' end
  redis.call('ZADD', DEADLINES, deadline, id)
  return {'until', deadline}
end

-- The six bytes with which an id begins that was made at this time.
local function first_bytes(time)
  local function byte(place) return math.floor(time / 256 ^ place) % 256 end
  return string.char(byte(5), byte(4), byte(3), byte(2), byte(1), byte(0))
end

-- For each new job of an owner, up to two that are no more leave his list, so that it cannot grow for ever.
local function forget_oldest(owner, count)
  local list = owned_by(owner)
  for _, raw in ipairs(redis.call('ZRANGEBYLEX', list, '-', '(' .. first_bytes(now - retention), 'LIMIT', 0, count)) do
    if redis.call('EXISTS', key_of(id_of(raw))) == 0 then redis.call('ZREM', list, raw) end
  end
end

local verdicts = {}
for at = 5, #ARGV, 13 do
  verdicts[#verdicts + 1] = add(unpack(ARGV, at, at + 12))
end
for owner, listed in pairs(listed_of) do
  local list = owned_by(owner)
  in_slices(listed, function(...) redis.call('ZADD', list, ...) end)
  redis.call('PEXPIRE', list, LIST_KEPT)
  forget_oldest(owner, #listed)
end
-- How many rows waited in a line before.
local function ahead_in(line)
  local rows = new_rows[line]
  if not rows then return 0 end
  redis.call('SET', placed_of(line), whole(placed[line]))
  return count_rows(line, rows) - rows
end

local ahead, ahead_explained = ahead_in(line), ahead_in(explained(line))
return {verdicts, ring(line, {bell}), ahead, ahead_explained}
