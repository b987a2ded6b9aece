-- Takes a letter off the list; its job stays as it is. Returns 0 if it was not on it.
-- @include dead/letters
-- @args id
-- @returns dropped

return redis.call('ZREM', DEAD, id)
