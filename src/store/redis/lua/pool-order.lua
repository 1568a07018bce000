-- Puts or drops one order, after dropping what has run out. A field is `o:` and a member, `m` for the mode, or `l` for learning; a value is the time until which it holds (ms; 0 for ever), a
-- blank, and the order's text.
-- KEYS: the orders. ARGV: the channel, how many members may have one, the field, how long it holds (ms; 0 for ever; empty: drop it),
-- the text.
-- Answers 1 where something was put or dropped, 0 where there was nothing to drop, -1 where there are too many.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local key, field = KEYS[1], ARGV[3]
local function whole(n) return string.format('%.0f', n) end

local all = redis.call('HGETALL', key)
local held = 0
for at = 1, #all, 2 do
  local till = tonumber(string.match(all[at + 1], '^(%d+) ') or '0')
  if all[at] ~= '#' and till > 0 and till <= now then redis.call('HDEL', key, all[at])
  elseif string.sub(all[at], 1, 2) == 'o:' then held = held + 1 end
end
if ARGV[4] == '' then
  if redis.call('HDEL', key, field) == 0 then return 0 end
else
  local more = string.sub(field, 1, 2) == 'o:' and redis.call('HEXISTS', key, field) == 0
  if more and held >= tonumber(ARGV[2]) then return -1 end
  local life = tonumber(ARGV[4])
  local till = life > 0 and now + life or 0
  redis.call('HSET', key, field, whole(till) .. ' ' .. ARGV[5])
end
local revision = whole(math.max(sane(redis.call('HGET', key, '#'), now + FAR) + 1, now))
redis.call('HSET', key, '#', revision)
redis.pcall('PUBLISH', ARGV[1], 'orders ' .. revision)
return 1
