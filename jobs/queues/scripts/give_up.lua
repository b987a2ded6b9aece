-- Gives up an entry that a consumer has claimed and could not read, and its job.
-- @include kind
-- @args queue stream entry id retention_ms:number
-- @returns nothing

give_up_entry(queue, stream, entry, id, function(given_up) give_up(given_up, retention_ms) end)
commit()
