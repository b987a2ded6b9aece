-- Returns chunks to the queue whose parts are damaged or gone, instead of joining the parts. A chunk whose part was damaged
-- `most` times fails the batch, or its file if there are several, as do all of a batch that is being canceled: then the others are joined without it. `error`
-- is JSON. Returns the wake-ups to send.
-- @include queues/wake_ups batches/batch
-- @args entry id most:number error wake_up_name most_wake_ups:number
-- @item chunk
-- @returns wake_ups

local key = job_key(id)

local function redo(chunk, status)
  local done = redis.call('HGET', key .. ':done', chunk)
  if not done then return end
  local rows, failed, expected, bytes = string.match(done, '^(%d+) (%d+) %d+ %d+ (%d+) (%d+)$')
  redis.call('HDEL', key .. ':done', chunk)
  redis.call('HINCRBY', key, 'rows', -rows)
  redis.call('HINCRBY', key, 'failed', -failed)
  redis.call('HINCRBY', key, 'bytes', -bytes)
  redis.call('HINCRBY', key, 'total', expected - rows)
  if status == 'canceling' then return end
  if redis.call('HINCRBY', key .. ':tries', chunk .. ' redone', 1) > most then
    note_error(id, chunk, error)
  else
    forget_attempts(id, chunk)
    add_task(id, chunk)
    redis.call('SADD', key .. ':in_queue', chunk)
  end
end

local status = redis.call('HGET', key, 'status')
if not remove_claimed(QUEUE, entry) or not is_wanted(id, 'join', status) then
  return noted_before(QUEUE, wake_up_name, most_wake_ups)
end
for _, item in items() do redo(item.chunk, status) end
redis.call('HDEL', key, 'joining')
redis.call('DEL', key .. ':joined')
if redis.call('SCARD', key .. ':in_queue') > 0 then set_status(id, 'running') else add_task(id, 'join') end
return wake_up(QUEUE, wake_up_name, most_wake_ups)
