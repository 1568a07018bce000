-- The leader shows a board, unless another has led since.
-- KEYS: the epoch, the board. ARGV: the leader's epoch, the bytes, how long they are kept (ms).
-- Answers 1 where it was taken.
local epoch = tonumber(ARGV[1])
if (tonumber(redis.call('GET', KEYS[1]) or '0') or 0) > epoch then return 0 end
if (tonumber(redis.call('HGET', KEYS[2], 'e') or '0') or 0) > epoch then return 0 end
redis.call('HSET', KEYS[2], 'e', ARGV[1], 'b', ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
