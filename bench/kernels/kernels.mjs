// Runs kernels on this engine. A line "NAME ROUNDS" is answered by "CPU-NANOSECONDS SUM"; "cold PATH NUMBER" by the
// nanoseconds from the bytes of that module to its first call of an import, and what was exported or called then.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const usage = process.threadCpuUsage ? () => process.threadCpuUsage() : () => process.cpuUsage();
const cpu = () => { const { user, system } = usage(); return (user + system) * 1000; };
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(process.argv[2])), {});

// A custom section of its own makes the bytes unknown to the engine's cache.
function fresh(bytes, number) {
  const section = Buffer.from([0, 5, 1, 110, number & 255, number >> 8 & 255, number >> 16 & 255]);
  return Buffer.concat([bytes, section]);
}

function cold(path, number) {
  const bytes = fresh(readFileSync(path), Number(number));
  let reached = '';
  const began = process.hrtime.bigint();
  const module = new WebAssembly.Module(bytes);
  const imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind !== 'function') throw new Error(`import of a ${kind}`);
    (imports[from] ??= {})[name] = () => { reached = name; throw new Error('reached'); };
  }
  const instance = new WebAssembly.Instance(module, imports);
  try { instance.exports._start(); } catch (error) { if (!reached) throw error; }
  return `${process.hrtime.bigint() - began} ${reached}`;
}

function run(name, rounds) {
  const began = cpu();
  const sum = exports[name](Number(rounds));
  return `${cpu() - began} ${BigInt.asUintN(64, sum)}`;
}

for await (const line of createInterface({ input: process.stdin })) {
  const words = line.split(' ');
  process.stdout.write(`${words[0] === 'cold' ? cold(words[1], words[2]) : run(words[0], words[1])}\n`);
}
