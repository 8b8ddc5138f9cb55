// Arithmetic in nested loops, and calls.
function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
function gcd(a, b) { while (b) [a, b] = [b, a % b]; return a; }
function inside(cr, ci) {
  let zr = 0, zi = 0;
  for (let i = 1; i <= 60; i++) {
    const next = zr * zr - zi * zi + cr;
    zi = 2 * zr * zi + ci;
    zr = next;
    if (zr * zr + zi * zi > 4) return i;
  }
  return 0;
}
let common = 0, escaped = 0, bits = 0;
for (let a = 1; a <= 220; a++) for (let b = 1; b <= a; b++) common += gcd(a, b);
for (let y = 0; y < 80; y++) for (let x = 0; x < 110; x++) escaped += inside(x / 40 - 2, y / 40 - 1);
for (let i = 1; i <= 2000000; i++) bits = (bits ^ (i << (i & 15))) >>> 0;
const numbers = new Float64Array(4096);
for (let round = 0; round < 150; round++) for (let i = 0; i < numbers.length; i++) numbers[i] += i * round;
print(fib(25), common, escaped, bits, numbers[4095]);
