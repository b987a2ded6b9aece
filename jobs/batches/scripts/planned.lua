-- Records the plan of a batch: its chunks, which have `total` rows and `size` bytes in all. Returns the wake-ups to send.
-- Recording a second plan changes nothing.
-- @include queues/common batches/batch
-- @args entry id layout total size wake_up_name most_wake_ups:number
-- @item chunk
-- @returns wake_ups

local key = job_key(id)
acknowledge(stream_key(QUEUE), entry)
local sent = {}
if redis.call('HGET', key, 'status') == 'validating' then
  local chunks = {}
  for number, item in items() do chunks[number] = item.chunk end
  set_status(id, 'queued', 'layout', layout, 'total', total, 'size', size, 'chunks', #chunks, 'next', 0)
  redis.call('INCRBY', UNQUEUED, #chunks)
  redis.call('DEL', key .. ':plan')
  in_slices(chunks, function(...) redis.call('RPUSH', key .. ':plan', ...) end)
  advance(id)
  sent = wake_up(QUEUE, wake_up_name, most_wake_ups)
end
commit()
return sent
