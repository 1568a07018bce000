-- A process looks at a pool, and stands for its leader or stays it.
-- KEYS: the lock, the epoch, the table, the orders.
-- ARGV: the process, how long it leads from now (ms), whether it stands ('1'); the table that it knows: epoch, sequence;
-- the revision of the orders that it knows; the most bytes of a table; the most orders, and the most bytes of one.
-- Answers: the leader (empty for none), the highest epoch that was given, the time (ms); the table: epoch, sequence, version,
-- age (ms), text, whose text is empty where the table is no newer, or cannot be one; the orders' revision, and where it is
-- another one, each order's field and value; an odd value at the end where some cannot be orders.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local process, life = ARGV[1], tonumber(ARGV[2])
local function whole(n) return string.format('%.0f', n) end

local seen = redis.call('HMGET', KEYS[3], 'e', 's', 'v', 'at')
local table_epoch, sequence = sane(seen[1], now + FAR), sane(seen[2], MOST)
local version = sane(seen[3], now + FAR)

local leader = redis.call('GET', KEYS[1])
local epoch = sane(redis.call('GET', KEYS[2]), now + FAR)
if ARGV[3] == '1' then
  -- The clock keeps epochs rising where Redis has lost the last one; a table of a later epoch would fence its leader for ever.
  local next_epoch = math.max(epoch + 1, table_epoch + 1, now)
  if not leader then
    epoch = next_epoch
    redis.call('SET', KEYS[2], whole(epoch))
    redis.call('SET', KEYS[1], process, 'PX', life)
    leader = process
  elseif leader == process then
    redis.call('PEXPIRE', KEYS[1], life)
    if table_epoch > epoch then
      epoch = next_epoch
      redis.call('SET', KEYS[2], whole(epoch))
    end
  end
end

local known_epoch, known_sequence = tonumber(ARGV[4]), tonumber(ARGV[5])
local newer = table_epoch > known_epoch or (table_epoch == known_epoch and sequence > known_sequence)
local text = ''
if newer and redis.call('HSTRLEN', KEYS[3], 't') <= tonumber(ARGV[7]) then
  text = redis.call('HGET', KEYS[3], 't') or ''
end
local age = math.max(0, now - sane(seen[4], MOST))

local revision = string.sub(redis.call('HGET', KEYS[4], '#') or '0', 1, 32)
local reply = {
  string.sub(leader or '', 1, 512), whole(epoch), whole(now),
  whole(table_epoch), whole(sequence), whole(version), whole(age), text, revision,
}
if revision == ARGV[6] then return reply end
if redis.call('HLEN', KEYS[4]) > tonumber(ARGV[8]) then
  reply[#reply + 1] = ''
  return reply
end
local all_fit = true
for _, field in ipairs(redis.call('HKEYS', KEYS[4])) do
  if #field + redis.call('HSTRLEN', KEYS[4], field) > tonumber(ARGV[9]) then
    all_fit = false
  else
    reply[#reply + 1] = field
    reply[#reply + 1] = redis.call('HGET', KEYS[4], field)
  end
end
if not all_fit then reply[#reply + 1] = '' end
return reply
