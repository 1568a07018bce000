-- The leader publishes a table, unless another has led since.
-- KEYS: the epoch, the table. ARGV: the leader's epoch, the text, how long it is kept (ms), the channel; the sequence and the version
-- that it published last, or read: what is stored may have been lost, or be another's forgery.
-- Answers the table's sequence and version, or nothing where it was refused.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local epoch = tonumber(ARGV[1])
if sane(redis.call('GET', KEYS[1]), now + FAR) > epoch then return false end
local seen = redis.call('HMGET', KEYS[2], 'e', 's', 'v')
local table_epoch = sane(seen[1], now + FAR)
if table_epoch > epoch then return false end

local sequence = sane(ARGV[5], MOST) + 1
if table_epoch == epoch then sequence = math.max(sequence, sane(seen[2], MOST) + 1) end
-- The time, so that versions rise even where Redis has lost the last one.
local version = math.max(sane(seen[3], now + FAR) + 1, sane(ARGV[6], now + FAR) + 1, now)
local function whole(n) return string.format('%.0f', n) end
redis.call('HSET', KEYS[2],
  'e', ARGV[1], 's', whole(sequence), 'v', whole(version), 'at', whole(now), 't', ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
-- Who may not publish on channels is polled all the same.
redis.pcall('PUBLISH', ARGV[4], 'table ' .. ARGV[1] .. ' ' .. whole(sequence))
return { whole(sequence), whole(version) }
