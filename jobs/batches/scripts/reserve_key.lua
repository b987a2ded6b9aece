-- Reserves an Idempotency-Key while the body of its request arrives. Returns {} if the key is new or reserved for this id;
-- {'', ''} if another request with this key is still arriving; otherwise the id of the job that the key stands for, and the
-- hash of its body. Reserving again for the same id renews the reservation.
-- @include queues/job
-- @args owner idempotency id expires_ms:number
-- @returns known

local key = idempotency_key(owner, idempotency)
local known = redis.call('GET', key)
if known and known ~= CREATING .. id then
  if not is_creating(known) then return {known_job(key)} end
  -- A reservation that is to last longer than any was made before the clock was set back; its request is gone.
  if redis.call('PTTL', key) <= expires_ms then return {'', ''} end
end
redis.call('SET', key, CREATING .. id, 'PX', expires_ms)
return {}
