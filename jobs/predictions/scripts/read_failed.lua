-- Reads what is needed to try a failed prediction again; all is nil for an unknown id.
-- @include queues/common
-- @args id
-- @returns status model sha owner inputs rows queue metadata webhook

return redis.call('HMGET', job_key(id), 'status', 'model', 'sha', 'owner', 'inputs', 'rows', 'queue', 'metadata', 'webhook')
