-- A process leaves a pool; when it leads, another can at once.
-- KEYS: the lock. ARGV: the process, the channel.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.pcall('PUBLISH', ARGV[2], 'left')
return 1
