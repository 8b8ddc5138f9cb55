// Strings built, searched, replaced and taken apart; JSON.
const words = [];
for (let i = 1; i <= 30000; i++) words.push((i * 7919 % 1048573).toString(16).padStart(5, '0'));
const text = words.join(' ');
const counts = new Map();
for (const word of text.match(/[0-9a-f]+/g)) {
  const key = word.slice(-2);
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
const most = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0];
const swapped = text.replace(/([0-9a-f])([0-9a-f])/g, '$2$1').toUpperCase();
let sum = 0;
for (let i = 0; i < swapped.length; i++) sum = (Math.imul(sum, 31) + swapped.charCodeAt(i)) >>> 0;
let built = '';
for (let i = 1; i <= 150000; i++) built += String.fromCharCode(97 + i % 26);
let found = 0;
for (let at = built.indexOf('xyz'); at >= 0; at = built.indexOf('xyz', at + 3)) found++;
const rows = words.slice(0, 6000).map((word, i) => ({ id: i, word, tags: [word.slice(0, 2), 'ü€'], deep: { half: i / 2 } }));
let length = 0;
for (let i = 0; i < 6; i++) length += JSON.stringify(JSON.parse(JSON.stringify(rows))).length;
print(text.length, most, sum, built.length, found, length);
