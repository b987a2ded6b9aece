-- Lists an owner's jobs, newest first: at most `limit` jobs older than `after`, the 16 bytes of an id (empty: from the
-- newest), with this `status` (empty: any). Reads at most `most_read` records. `found` alternates ids and records; `next` is
-- the 16 bytes of the id to continue after, empty at the end. A record that cannot be read is left out.
-- @include kind
-- @args owner after status limit:number most_read:number retention_ms:number
-- @returns found next

local MOST_AT_ONCE = 100
local list = list_key(KIND, owner)
local found = {}

local function take(raw)
  local id = id_of(raw)
  local ok, record = pcall(read_current, id, retention_ms)
  if not ok then return end
  if not record[1] then
    redis.call('ZREM', list, raw)
  elseif status == '' or status == record[2] then
    found[#found + 1] = id
    found[#found + 1] = record
  end
end

local function older_than(raw, number)
  return redis.call('ZREVRANGEBYLEX', list, raw == '' and '+' or '(' .. raw, '-', 'LIMIT', 0, number)
end

local next = after
while most_read > 0 and #found < 2 * limit do
  local some = older_than(next, math.min(most_read, MOST_AT_ONCE))
  for _, raw in ipairs(some) do
    if #found == 2 * limit then break end
    take(raw)
    next, most_read = raw, most_read - 1
  end
  if #some == 0 then
    next = ''
    break
  end
end
if next ~= '' and #older_than(next, 1) == 0 then next = '' end
commit()
return {found, next}
