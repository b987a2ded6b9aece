-- Takes one task from the line. ARGV: child, bell, ms kept. Returns nothing if none waits, else: entry, id, task, how
-- often it has been taken, model, sha, asked, size, layout, chunk, slices of it that workers were lost with. Renews the
-- bell if there was one.

local child, bell, retention = ARGV[1], ARGV[2], tonumber(ARGV[3])

local function wanted(id, task, status)
  if task == 'plan' or task == 'look' then return status == 'validating' end
  if task == 'join' then return status == 'finalizing' or status == 'canceling' end
  return (status == 'queued' or status == 'running') and redis.call('HEXISTS', key_of(id) .. ':done', task) == 0
end

local function drop(entry, id, task, status)
  leave(entry)
  if status == 'canceling' and tonumber(task) then
    redis.call('SREM', key_of(id) .. ':out', task)
    go_on(id)
  end
end

-- A worker that was lost with a slice under trial was lost with that. Returns all such slices, and whether there is one
-- more.
local function lost_slices(id, task)
  local trials = key_of(id) .. ':trials'
  local lost, trying = unpack(redis.call('HMGET', trials, task, task .. ' trying'))
  if not trying then return lost or '', false end
  lost = lost and lost .. ' ' .. trying or trying
  redis.call('HSET', trials, task, lost)
  redis.call('HDEL', trials, task .. ' trying')
  return lost, true
end

while true do
  local read = redis.call('XREADGROUP', 'GROUP', GROUP, child, 'COUNT', 1, 'STREAMS', LINE, '>')
  if not read then return {} end
  local entry, fields = unpack(read[1][2][1])
  local id, task = fields[2], fields[4]
  local key = key_of(id)
  expire_overdue(id, retention)
  local status = redis.call('HGET', key, 'status')
  if wanted(id, task, status) then
    if status == 'queued' then redis.call('HSET', key, 'status', 'running', 'started', now_text) end
    local lost, known_why = lost_slices(id, task)
    local tries = redis.call('HINCRBY', key .. ':tries', task, known_why and 0 or 1)
    local record = redis.call('HMGET', key, 'model', 'sha', 'asked', 'size', 'layout')
    local chunk = tonumber(task) and redis.call('LINDEX', key .. ':plan', task)
    redis.call('ZADD', BELLS, whole(now + BELL_LAPSES), bell)
    return {entry, id, task, tries, record[1], record[2], record[3], record[4], record[5] or '', chunk or '',
            lost}
  end
  drop(entry, id, task, status)
end
