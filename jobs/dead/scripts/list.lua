-- Lists what was given up, the newest first: from `first` to `last`, counted from 0. Alternates ids and when.
-- @include dead/letters
-- @args first last
-- @returns letters

return redis.call('ZREVRANGE', DEAD, first, last, 'WITHSCORES')
