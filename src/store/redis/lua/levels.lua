-- levels.lua: looks at token buckets of one slot; after algorithm.lua. It is run for many buckets every second, so it works
-- out what token-bucket.lua's evaluate would say of a look without making a state for each.
-- KEYS the buckets. ARGV[1] the time to go by instead of Redis TIME (us), for tests; 0 in production
-- ARGV[2] for each bucket three little-endian doubles: its offered capacity, rate and version
-- Returns one string: for each bucket three little-endian doubles: status (1, or 2 when the key holds something else),
-- whole tokens, capacity.
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * US + time[2]
end

local floor, min, max = math.floor, math.min, math.max
local unpack_figures, pack_figures = struct.unpack, struct.pack
local held, offered = {}, {}
local replies = {}
for i, packed in ipairs(redis.call('MGET', unpack(KEYS))) do
  offered.capacity, offered.rate, offered.version = unpack_figures('<ddd', ARGV[2], 24 * i - 23)
  if not packed then
    replies[i] = pack_figures('<ddd', 1, offered.capacity, offered.capacity)
  elseif #packed ~= 36 then
    replies[i] = pack_figures('<ddd', 2, 0, 0)
  else
    local tokens, last
    tokens, last, held.capacity, held.rate, held.version = unpack_figures('<ddI4dd', packed)
    local capacity = in_force(held, offered, now).capacity
    local refilled = tokens + floor(max(0, now - last) * held.rate / US)
    tokens = min(held.capacity * UT, capacity * UT, refilled)
    replies[i] = pack_figures('<ddd', 1, floor(tokens / UT), capacity)
  end
end
return table.concat(replies)
