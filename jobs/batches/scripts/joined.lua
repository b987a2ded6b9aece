-- Records how far the parts of a batch are joined: the position from which to go on and, of several files, those that are
-- joined since the last checkpoint. Returns 1, or 0 if another consumer has the task by now.
-- @include batches/batch
-- @args entry id position
-- @item file joined
-- @returns recorded

if #redis.call('XPENDING', stream_key(QUEUE), GROUP, entry, entry, 1) == 0 then return 0 end
if not is_wanted(id, 'join', redis.call('HGET', job_key(id), 'status')) then return 0 end
for _, item in items() do redis.call('HSET', job_key(id) .. ':joined', item.file, item.joined) end
if redis.call('HGET', job_key(id), 'joining') ~= position then
  redis.call('HSET', job_key(id), 'joining', position)
  forget_attempts(id, 'join')
end
return 1
