-- Accepts jobs: writes each record, puts it into the line, and notes the bells to ring.
-- KEYS: line. ARGV: how many may wait, rows a minute for each owner (0: no limit), ms kept, bell name, then for
-- each job: id, raw id, created, model, sha, owner, inputs, rows, metadata (empty: none), watcher (likewise).
-- Returns {verdicts ('ok', 'full', 'never' or the seconds until the owner may post again), bells}.
-- Adding a job that is there already changes nothing, so a repeated call does no harm.

local line = KEYS[1]
local room = tonumber(ARGV[1]) - waiting(line)
local limit, retention, bell = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local LIST_KEPT = 30 * 86400000  -- after the owner's last post
local minute = math.floor(now / 60000)
local new_rows = 0
local listed_of = {}  -- owner -> times and raw ids of what is new

local function over_limit(owner, rows)
  if limit == 0 then return false end
  local key = 'rows:' .. owner .. ':' .. whole(minute)
  local used = tonumber(redis.call('GET', key) or 0)
  if used + rows > limit then return true end
  redis.call('INCRBY', key, rows)
  redis.call('PEXPIRE', key, 120000)
  return false
end

local function add(id, raw, created, model, sha, owner, inputs, rows, metadata, watcher)
  if redis.call('EXISTS', key_of(id)) == 1 then return 'ok' end
  if room <= 0 then return 'full' end
  if limit > 0 and tonumber(rows) > limit then return 'never' end
  if over_limit(owner, tonumber(rows)) then return whole(60 - math.floor(now / 1000) % 60) end
  room = room - 1
  new_rows = new_rows + rows
  write(key_of(id), {'v', '1', 'status', 'queued', 'model', model, 'sha', sha, 'owner', owner, 'inputs', inputs},
        {metadata = metadata, watchers = watcher})
  redis.call('XADD', line, '*', 'id', id, 'rows', rows)
  append(listed_of, owner, created)
  append(listed_of, owner, raw)
  return 'ok'
end

-- For each new job of an owner, up to two that are no more leave his list, so that it cannot grow for ever.
local function forget_oldest(owner, count)
  local list = owned_by(owner)
  local old = redis.call('ZRANGEBYSCORE', list, '-inf', whole(now - retention), 'LIMIT', 0, count)
  for _, raw in ipairs(old) do
    local hex = string.gsub(raw, '.', function(c) return string.format('%02x', string.byte(c)) end)
    local id = 'pred_' .. string.gsub(hex, '^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)', '%1-%2-%3-%4-')
    if redis.call('EXISTS', key_of(id)) == 0 then redis.call('ZREM', list, raw) end
  end
end

local verdicts = {}
for at = 5, #ARGV, 10 do
  verdicts[#verdicts + 1] = add(unpack(ARGV, at, at + 9))
end
for owner, listed in pairs(listed_of) do
  local list = owned_by(owner)
  in_slices(listed, function(...) redis.call('ZADD', list, ...) end)
  redis.call('PEXPIRE', list, LIST_KEPT)
  forget_oldest(owner, #listed)
end
count_rows(line, new_rows)
return {verdicts, ring(line, {bell})}
