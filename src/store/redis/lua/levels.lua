-- levels.lua: looks at token buckets of one slot; after token-account.lua.
-- KEYS the buckets. ARGV[3..] for each its offered capacity, rate and version.
-- Returns one string: for each bucket three little-endian doubles: status (1, or 2 when the key holds something else),
-- whole tokens, capacity.
local replies = {}
for i, key in ipairs(KEYS) do
  local account = open_account(key, 3 * i)
  if account then
    local tokens, _, capacity = account.look()
    replies[i] = struct.pack('<ddd', 1, tokens, capacity)
  else
    replies[i] = struct.pack('<ddd', 2, 0, 0)
  end
end
return table.concat(replies)
