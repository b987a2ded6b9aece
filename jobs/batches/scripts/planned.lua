-- Records a checkpoint of planning: the next chunks, which have `rows` rows and `bytes` bytes, and the position from which to
-- go on. `first` is the number of the first of them; one that others have recorded changes nothing. `over` is 'plan' if the
-- plan is complete, 'slot' if the task goes to the end of the queue, and empty if its consumer goes on. Returns 1 if it
-- was recorded, and the wake-ups to send. `file` is the number of one of several files, and `file_planned` what was found of
-- it; both are empty for a batch of one. Several files may have no chunk at all, if none of them can be read.
-- @include queues/wake_ups batches/batch
-- @args entry id file file_planned first:number layout rows bytes position over wake_up_name most_wake_ups:number
-- @item chunk
-- @returns recorded wake_ups

local key = job_key(id)
local mine = over ~= '' and remove_claimed(QUEUE, entry)
local status, known = unpack(redis.call('HMGET', key, 'status', 'chunks'))
if not is_wanted(id, 'plan', status) then return {0, noted_before(QUEUE, wake_up_name, most_wake_ups)} end
if tonumber(known or 0) ~= first then
  if mine then add_task(id, 'plan') end  -- whoever claims it goes on from what is recorded
  return {0, wake_up(QUEUE, wake_up_name, most_wake_ups)}
end

local function add_chunks()
  local chunks = {}
  for number, item in items() do chunks[number] = item.chunk end
  if file ~= '' then note_file(id, file, file_planned) end
  if #chunks == 0 and (known or file == '') then return end
  if not known then set_status(id, 'queued', 'layout', layout, 'next', 0) end
  redis.call('HINCRBY', key, 'chunks', #chunks)
  redis.call('HINCRBY', key, 'total', rows)
  redis.call('INCRBY', UNQUEUED, #chunks)
  in_slices(chunks, function(...) redis.call('RPUSH', key .. ':plan', ...) end)
end

add_chunks()
forget_attempts(id, 'plan')
local planned = redis.call('HINCRBY', key, 'planned', bytes)
if over == 'plan' then
  redis.call('HSET', key, 'size', planned)
  redis.call('HDEL', key, 'planning')
else
  redis.call('HSET', key, 'planning', position, 'size', math.max(planned, tonumber(redis.call('HGET', key, 'size'))))
end
advance(id)
if mine and over == 'slot' then add_task(id, 'plan') end
return {1, wake_up(QUEUE, wake_up_name, most_wake_ups)}
