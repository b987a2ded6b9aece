-- Returns to the queue what a consumer has claimed and does not work on: the answers of Redis did not reach it. This does not
-- count as a try.
-- @include batches/batch
-- @args queue consumer
-- @returns nothing

for _, pending in ipairs(redis.call('XPENDING', stream_key(queue), GROUP, '-', '+', 100, consumer)) do
  local entry = pending[1]
  local found = redis.call('XRANGE', stream_key(queue), entry, entry)[1]
  if found then
    local id, task = found[2][2], found[2][6]
    if redis.call('HGET', job_key(id) .. ':tries', task .. ' entry') ~= entry then count_rows(queue, -1) end
    release(id, task, entry)
  end
end
