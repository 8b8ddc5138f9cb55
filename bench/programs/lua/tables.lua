-- Tables as arrays, maps and objects: sorts, a queue, classes, closures.
local seed = 12345
local function random(n)
  seed = (seed * 1103515245 + 12345) % 2147483648
  return seed // 65536 % n
end

local list = {}
for i = 1, 120000 do list[i] = random(32768) * 32768 + random(32768) end
table.sort(list)
local people = {}
for i = 1, 40000 do people[i] = { name = "p" .. random(10000), age = random(90) } end
table.sort(people, function(a, b)
  if a.age ~= b.age then return a.age < b.age end
  return a.name < b.name
end)

local Point = {}
Point.__index = Point
Point.__add = function(a, b) return setmetatable({ x = a.x + b.x, y = a.y + b.y }, Point) end
function Point:length2() return self.x * self.x + self.y * self.y end
local at, far = setmetatable({ x = 0, y = 0 }, Point), 0
for i = 1, 200000 do
  at = at + setmetatable({ x = random(3) - 1, y = random(3) - 1 }, Point)
  if at:length2() > far then far = at:length2() end
end

local graph, steps = {}, 0
for i = 1, 50000 do graph[i] = { random(50000) + 1, random(50000) + 1, random(50000) + 1 } end
local seen, queue, head = { [1] = true }, { 1 }, 1
while queue[head] do
  for _, next in ipairs(graph[queue[head]]) do
    if not seen[next] then seen[next], queue[#queue + 1] = true, next end
  end
  head, steps = head + 1, steps + 1
end

local function counter(step) local n = 0 return function() n = n + step return n end end
local counters, total = {}, 0
for i = 1, 100 do counters[i] = counter(i) end
for i = 1, 300000 do total = total + counters[i % 100 + 1]() end
print(list[1], list[60000], people[1].name, people[20000].name, far, steps, total)
