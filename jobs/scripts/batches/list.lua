-- Lists an owner's batches, the newest first. ARGV: owner, 16 bytes of the id to go on behind (empty: from the newest
-- on), status (empty: any), how many to give, how many to look at, ms kept.
-- Returns {ids and records by turns, 16 bytes of the id that was looked at last, or empty when there are no more}.

local MOST_AT_ONCE = 100

local owner, behind, status = ARGV[1], ARGV[2], ARGV[3]
local wanted, look_at, retention = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local list = owned_by(owner)
local found = {}

local function take(raw)
  local id = id_of(raw)
  local record = read_record(id, retention)
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
