-- When a letter was given up; nil if it is none.
-- @include dead/letters
-- @args id
-- @returns time

return redis.call('ZSCORE', DEAD, id)
