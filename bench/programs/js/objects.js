// Arrays, maps, classes, closures, generators and sorts.
let seed = 12345;
function random(n) {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  return (seed >>> 16) % n;
}
const list = Array.from({ length: 60000 }, () => random(32768) * 32768 + random(32768)).sort((a, b) => a - b);
const people = Array.from({ length: 20000 }, () => ({ name: 'p' + random(10000), age: random(90) }));
people.sort((a, b) => a.age - b.age || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
class Point {
  constructor(x, y) { this.x = x; this.y = y; }
  add(other) { return new Point(this.x + other.x, this.y + other.y); }
  get length2() { return this.x * this.x + this.y * this.y; }
}
let at = new Point(0, 0), far = 0;
for (let i = 0; i < 120000; i++) {
  at = at.add(new Point(random(3) - 1, random(3) - 1));
  far = Math.max(far, at.length2);
}
const graph = Array.from({ length: 30000 }, () => [random(30000), random(30000), random(30000)]);
const seen = new Set([0]), queue = [0];
for (const node of queue) for (const next of graph[node]) if (!seen.has(next)) { seen.add(next); queue.push(next); }
const counters = Array.from({ length: 100 }, (_, i) => { let n = 0; return () => n += i + 1; });
let total = 0;
for (let i = 0; i < 200000; i++) total += counters[i % 100]();
function* squares(n) { for (let i = 0; i < n; i++) yield i * i; }
let odd = 0;
for (const square of squares(100000)) if (square & 1) odd++;
let caught = 0;
for (let i = 0; i < 20000; i++) try { if (i % 3 === 0) throw new Error('x'); } catch { caught++; }
print(list[0], list[30000], people[0].name, people[10000].name, far, seen.size, total, odd, caught);
