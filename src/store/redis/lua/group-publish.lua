-- Appends batches to the group's log, a stream, and drops what is beyond its bounds, oldest first.
-- KEYS: the log, its size (bytes). ARGV: the bound (bytes), how long batches are kept (ms), then the batches.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local bound, kept_for = tonumber(ARGV[1]), tonumber(ARGV[2])
local MAX_DROPS = 2000
local size = tonumber(redis.call('GET', KEYS[2]) or '0') or 0

for at = 3, #ARGV do
  redis.call('XADD', KEYS[1], '*', 'b', ARGV[at])
  size = size + #ARGV[at]
end
local length = redis.call('XLEN', KEYS[1])
local dropped = 0
while dropped < MAX_DROPS and length - dropped > 1 do
  local batch = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
  local at = tonumber(string.match(batch[1], '^%d+'))
  if size <= bound and at >= now - kept_for then break end
  size = size - #batch[2][2]
  redis.call('XDEL', KEYS[1], batch[1])
  dropped = dropped + 1
end
-- Whatever went wrong with the sum before ends when the log is down to one.
if length - dropped <= 1 and #ARGV >= 3 then size = #ARGV[#ARGV] end
redis.call('SET', KEYS[2], string.format('%.0f', math.max(0, size)), 'PX', 2 * kept_for)
redis.call('PEXPIRE', KEYS[1], 2 * kept_for)
return length - dropped
