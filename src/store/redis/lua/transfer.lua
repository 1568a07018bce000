-- transfer.lua: one step of moving tokens between token buckets; after token-account.lua. Each step keeps a record of what
-- it did, beside the bucket that it changed, and answers from the record when it is asked again.
-- ARGV[3] the step; ARGV[4] how long its record is kept (ms); ARGV[5] tokens; ARGV[6] what the lender keeps
-- ARGV[7..9] capacity, rate and version of the first bucket; ARGV[10..12] of the second
-- Steps, with their KEYS and replies:
--   both    lender, borrower, record: moves at once; the tokens moved
--   debit   lender, record: takes; the tokens taken
--   credit  borrower, record: gives; the tokens that it had room for
--   refund  lender, the debit's record: gives back what the borrower had no room for; the tokens that went back. Nothing
--           does once the record has expired, since nobody knows then whether they went back before
-- A reply of -1: a key holds something else, and nothing was done.
local step, life, tokens, keep = ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local record_key = KEYS[#KEYS]
local record = redis.call('GET', record_key)

local function note(text, ttl)
  redis.call('SET', record_key, text, 'PX', ttl)
end

local function whole(number)
  return string.format('%.0f', number)
end

if step == 'refund' then
  if not record then return 0 end
  local taken, back = string.match(record, '^(%d+) ?(%d*)$')
  if back ~= '' then return tonumber(back) end
  local lender = open_account(KEYS[1], 7)
  if not lender then return -1 end
  local _, room = lender.look()
  back = math.max(0, math.min(tokens, room, tonumber(taken)))
  note(taken .. ' ' .. whole(back), whole(math.max(1, redis.call('PTTL', record_key))))
  if back > 0 then lender.take(-back) end
  return back
end

if record then return tonumber(string.match(record, '^%d+')) end
local account = open_account(KEYS[1], 7)
if not account then return -1 end
local present, room = account.look()

if step == 'credit' then
  local given = math.max(0, math.min(tokens, room))
  note(whole(given), life)
  if given > 0 then account.take(-given) end
  return given
end

local moved = math.min(tokens, present - keep)
local borrower
if step == 'both' then
  borrower = open_account(KEYS[2], 10)
  if not borrower then return -1 end
  local _, its_room = borrower.look()
  moved = math.min(moved, its_room)
end
moved = math.max(0, moved)
if moved > 0 then account.take(moved) end
note(whole(moved), life)
if borrower and moved > 0 then borrower.take(-moved) end
return moved
