-- What the keeper remembers.
-- @include queues/common keeper/keeper
-- @args
-- @returns now asleep requested_at start_ms state

return {now_text, read_keeper()}
