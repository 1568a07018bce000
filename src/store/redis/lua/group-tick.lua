-- A member says that it is there, stands for leader, or stays it.
-- KEYS: the lock, the epoch, the members. ARGV: the member, its life (ms), whether it stands ('1').
-- Answers: the leader (empty for none), the highest epoch that was given, then each member and how long it is silent (ms).
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local member, life = ARGV[1], tonumber(ARGV[2])
local MAX_MEMBERS = 1000

redis.call('ZADD', KEYS[3], string.format('%.0f', now), member)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', now - 3 * life))
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -MAX_MEMBERS - 1)
redis.call('PEXPIRE', KEYS[3], 3 * life)

local leader = redis.call('GET', KEYS[1])
local epoch = tonumber(redis.call('GET', KEYS[2]) or '0') or 0
if ARGV[3] == '1' then
  if not leader then
    -- The clock keeps epochs rising where Redis has lost the last one.
    epoch = math.max(epoch + 1, now)
    redis.call('SET', KEYS[2], string.format('%.0f', epoch))
    redis.call('SET', KEYS[1], member, 'PX', life)
    leader = member
  elseif leader == member then
    redis.call('PEXPIRE', KEYS[1], life)
  end
end

local reply = { leader or '', string.format('%.0f', epoch) }
local members = redis.call('ZRANGE', KEYS[3], 0, -1, 'WITHSCORES')
for at = 1, #members, 2 do
  reply[#reply + 1] = members[at]
  reply[#reply + 1] = string.format('%.0f', math.max(0, now - tonumber(members[at + 1])))
end
return reply
