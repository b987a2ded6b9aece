-- Claims predictions for one consumer, with about `rows` rows in all; first those whose entries the consumer has read from the
-- queue already, which are the items. With `last`, the wake-up is withdrawn if nothing is
-- claimed.
-- @include queues/claims predictions/prediction
-- @args queue consumer wake_up_name rows:number retention_ms:number last
-- @item entry id rows
-- @returns each: stream entry id attempt model sha inputs given_up traceparent

local function start(stream, found, fields)
  local id = fields[2]
  local status, model, sha, inputs, attempt, lost, reason, deadline, trace = unpack(redis.call(
    'HMGET', job_key(id), 'status', 'model', 'sha', 'inputs', 'attempt', 'lost', 'reason', 'deadline',
    'traceparent'))
  local overdue = is_overdue(status, deadline, attempt)
  if overdue then end_overdue(id, retention_ms) end
  if overdue or status ~= 'queued' then
    acknowledge(stream, found)
    return nil
  end
  local next_attempt = whole((attempt or 0) + 1)
  set_status(id, 'running', 'started', now_text, 'attempt', next_attempt)
  count('attempts|' .. queue .. '|' .. next_attempt)
  if reason then redis.call('HDEL', job_key(id), 'reason') end
  return {stream, found, id, next_attempt, model, sha, inputs, lost or '', trace or ''}
end

local read = {}
for number, item in items() do read[number] = {entry = item.entry, fields = {'id', item.id, 'rows', item.rows}} end
local guarded_start = guarded(queue, start, function(id) give_up(id, retention_ms) end)
local claimed = claim(queue, consumer, wake_up_name, rows, read, last ~= '', true, guarded_start)
commit()
return claimed
