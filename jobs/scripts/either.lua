-- What jobs of either kind have in common: predictions, with which job.lua goes on, and batches (batches/batch.lua).

local GROUP = 'workers'
local PROCESSES = 'processes'
local METRICS = 'metrics'
local BELL_LAPSES = 5000  -- if no child answers it

local function key_of(id) return 'job:' .. id end
local function whole(number) return string.format('%.0f', number) end

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local now_text = whole(now)

-- The id of which these are the 16 bytes; its kind is what it begins with.
local function id_from(kind, raw)
  local hex = string.gsub(raw, '.', function(c) return string.format('%02x', string.byte(c)) end)
  return kind .. string.gsub(hex, '^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)', '%1-%2-%3-%4-')
end

-- The newest of a list first. `asked` is: owner, 16 bytes of the id to go on behind (empty: from the newest on), status
-- (empty: any), how many to give, how many to look at. `read` gives the record of an id.
-- Returns {ids and records by turns, 16 bytes of the id that was looked at last, or empty when there are no more}.
local function newest(list, id_of, read, asked)
  local MOST_AT_ONCE = 100
  local behind, status, wanted, look_at = asked[2], asked[3], tonumber(asked[4]), tonumber(asked[5])
  local found = {}

  local function take(raw)
    local id = id_of(raw)
    local record = read(id)
    if not record[1] then
      redis.call('ZREM', list, raw)
    elseif status == '' or status == record[2] then
      found[#found + 1] = id
      found[#found + 1] = record
    end
  end

  while look_at > 0 and #found < 2 * wanted do
    local from = behind == '' and '+' or '(' .. behind
    local some = redis.call('ZREVRANGEBYLEX', list, from, '-', 'LIMIT', 0, math.min(look_at, MOST_AT_ONCE))
    for _, raw in ipairs(some) do
      if #found == 2 * wanted then break end
      take(raw)
      behind, look_at = raw, look_at - 1
    end
    if #some == 0 then
      behind = ''
      break
    end
  end
  if behind ~= '' and #redis.call('ZREVRANGEBYLEX', list, '(' .. behind, '-', 'LIMIT', 0, 1) == 0 then behind = '' end
  return {found, behind}
end

-- How many entries of a stream are claimed, and the first that nobody has claimed, or nil.
local function standing(stream)
  local claimed, from = 0, '-'
  local groups = redis.pcall('XINFO', 'GROUPS', stream)
  for _, group in ipairs(groups.err and {} or groups) do
    local facts = {}
    for at = 1, #group, 2 do facts[group[at]] = group[at + 1] end
    claimed = claimed + facts['pending']
    from = '(' .. facts['last-delivered-id']
  end
  return claimed, redis.call('XRANGE', stream, from, '+', 'COUNT', 1)[1]
end

-- The processes of a set that live, and what each says of itself, by turns.
local function alive(set)
  local said = {}
  for _, process in ipairs(redis.call('ZRANGEBYSCORE', set, now_text, '+inf')) do
    said[#said + 1] = process
    said[#said + 1] = redis.call('HGET', PROCESSES, process) or ''
  end
  return said
end
