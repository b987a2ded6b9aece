-- Accepts a batch whose input is in the file store. ARGV: most that may be open, most of one owner (0: no limit), bell
-- name, id, raw id, model, sha, owner, asked, size, metadata; and, empty if there is none: ms until its deadline, digest
-- of the caller's key, hash of the body; first task; 1 if it is to be in no list.
-- Returns {'ok', bells} or what `refusal` gives. Adding a batch that is there already changes nothing.

local most, most_of_owner, bell, id, raw = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local model, sha, owner, asked, size, metadata = unpack(ARGV, 6, 11)
local start_within, digest, body, task, hidden = unpack(ARGV, 12, 16)
local key = key_of(id)
redis.pcall('XGROUP', 'CREATE', LINE, GROUP, '0', 'MKSTREAM')  -- unless it is there

if redis.call('EXISTS', key) == 1 then return {'ok', {}} end
local refused = refusal(owner, most, most_of_owner)
if refused then return refused end
redis.call('HSET', key, 'v', '1', 'status', 'validating', 'model', model, 'sha', sha, 'owner', owner, 'asked', asked,
           'size', size, 'metadata', metadata, 'rows', 0, 'failed', 0, 'bytes', 0)
if start_within ~= '' then redis.call('HSET', key, 'deadline', whole(now + start_within)) end
if digest ~= '' then
  local once = 'once:' .. owner .. ':' .. digest
  redis.call('SET', once, id .. body)
  redis.call('HSET', key, 'once', once)
end
redis.call('SADD', OPEN, id)
redis.call('ZADD', open_of(owner), now_text, id)
if hidden == '' then
  redis.call('ZADD', owned_by(owner), 0, raw)
  redis.call('PEXPIRE', owned_by(owner), LIST_KEPT)
else
  redis.call('HSET', key, 'hidden', 1)
end
add_task(id, task)
return {'ok', ring({bell})}
