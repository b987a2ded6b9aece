-- Claims what comes first, for a consumer that is in the middle of a large list. Returns what predictions/claim.lua returns.
-- @include queues/claims predictions/prediction
-- @args queue consumer retention_ms:number
-- @returns each: stream entry id attempt model sha inputs given_up traceparent

local claimed = claim_first(queue, consumer, starting(queue, retention_ms))
commit()
return claimed
