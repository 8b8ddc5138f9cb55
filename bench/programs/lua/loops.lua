-- Arithmetic in nested loops, and calls.
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end

local function gcd(a, b) while b ~= 0 do a, b = b, a % b end return a end

local function inside(cr, ci)
  local zr, zi = 0.0, 0.0
  for i = 1, 60 do
    zr, zi = zr * zr - zi * zi + cr, 2 * zr * zi + ci
    if zr * zr + zi * zi > 4 then return i end
  end
  return 0
end

local common = 0
for a = 1, 1000 do for b = 1, a do common = common + gcd(a, b) end end
local escaped = 0
for y = 0, 239 do for x = 0, 319 do escaped = escaped + inside(x / 120 - 2, y / 120 - 1) end end
local bits = 0
for i = 1, 4000000 do bits = (bits ~ (i << (i & 15))) & 0xffffffff end
print(fib(31), common, escaped, bits)
