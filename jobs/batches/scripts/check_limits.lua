-- Checks, before its file arrives, whether one more batch of an owner would be refused. Returns what `refusal` returns.
-- @include batches/batch
-- @args owner max_open:number max_open_per_owner:number
-- @returns refused

return refusal(owner, max_open, max_open_per_owner)
