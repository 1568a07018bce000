-- A member leaves; when it leads, another can at once.
-- KEYS: the lock, the members. ARGV: the member.
redis.call('ZREM', KEYS[2], ARGV[1])
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
