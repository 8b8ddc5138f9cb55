-- Strings built, searched, replaced and taken apart.
local words = {}
for i = 1, 120000 do words[i] = string.format("%05x", i * 7919 % 1048573) end
local text = table.concat(words, " ")
local counts = {}
for word in text:gmatch("%x+") do
  local key = word:sub(-2)
  counts[key] = (counts[key] or 0) + 1
end
local most, times = "", 0
for key, count in pairs(counts) do
  if count > times or count == times and key < most then most, times = key, count end
end
local swapped = text:gsub("(%x)(%x)", "%2%1")
local upper = swapped:upper():reverse()
local sum = 0
for i = 1, #upper do sum = (sum * 31 + upper:byte(i)) % 1000000007 end
local built = ""
for i = 1, 24000 do built = built .. string.char(97 + i % 26) end
local found, at = 0, 1
while true do
  local from, to = built:find("xyz", at, true)
  if not from then break end
  found, at = found + 1, to + 1
end
print(#text, most, times, sum, #built, found)
