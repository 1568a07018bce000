-- A process looks at a pool, and stands for its leader or stays it.
-- KEYS: the lock, the epoch, the table, the orders.
-- ARGV: the process, how long it leads from now (ms), whether it stands ('1'); the table that it knows: epoch, sequence;
-- the revision of the orders that it knows.
-- Answers: the leader (empty for none), the highest epoch that was given, the time (ms); the table: epoch, sequence, version,
-- age (ms), text, whose text is empty where the table is no newer; the orders' revision, and where it is another one, each
-- order's field and value.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local process, life = ARGV[1], tonumber(ARGV[2])
local function whole(n) return string.format('%.0f', n) end

local leader = redis.call('GET', KEYS[1])
local epoch = tonumber(redis.call('GET', KEYS[2]) or '0') or 0
if ARGV[3] == '1' then
  if not leader then
    -- The clock keeps epochs rising where Redis has lost the last one.
    epoch = math.max(epoch + 1, now)
    redis.call('SET', KEYS[2], whole(epoch))
    redis.call('SET', KEYS[1], process, 'PX', life)
    leader = process
  elseif leader == process then
    redis.call('PEXPIRE', KEYS[1], life)
  end
end

local seen = redis.call('HMGET', KEYS[3], 'e', 's', 'v', 'at')
local table_epoch, sequence = tonumber(seen[1] or '0') or 0, tonumber(seen[2] or '0') or 0
local known_epoch, known_sequence = tonumber(ARGV[4]), tonumber(ARGV[5])
local newer = table_epoch > known_epoch or (table_epoch == known_epoch and sequence > known_sequence)
local text = newer and redis.call('HGET', KEYS[3], 't') or ''
local age = math.max(0, now - (tonumber(seen[4] or '0') or 0))

local revision = redis.call('HGET', KEYS[4], '#') or '0'
local reply = {
  leader or '', whole(epoch), whole(now),
  whole(table_epoch), whole(sequence), seen[3] or '0', whole(age), text, revision,
}
if revision ~= ARGV[6] then
  for _, part in ipairs(redis.call('HGETALL', KEYS[4])) do reply[#reply + 1] = part end
end
return reply
