// Runs modules on this engine: reads one JSON object a line, {wasm, calls: [{name, arguments: ["i32:5", …]}]}, and
// answers one line of JSON: the list of what happened. Bits of floats are shown, of NaNs one for all.
import { createInterface } from 'node:readline';

const view = new DataView(new ArrayBuffer(8));
const traps = [
  [/unreachable/, 'unreachable'], [/memory access out of bounds|out of bounds memory/, 'memory'],
  [/divide by zero|remainder by zero/, 'zero'], [/divide result unrepresentable|float unrepresentable/, 'overflow'],
  [/null function|function signature/, 'callee'], [/table index is out of bounds|table access out of bounds|table.*out of bounds/, 'table'],
  [/null pointer/, 'null'], [/illegal cast/, 'cast'], [/array.*too large/, 'large'], [/array.*out of bounds/, 'array'], [/unaligned/, 'unaligned'],
  [/Atomics.wait/, 'shared'], [/type incompatibility/, 'v128'],
  [/call stack/, 'stack'], [/element segment.*out of bounds/, 'table'], [/data segment.*out of bounds/, 'memory'], [/memory.*operation.*out of bounds/, 'memory'],
];

function trapOf(error) {
  if (error instanceof WebAssembly.Exception) return 'exception';
  const text = String(error && error.message);
  for (const [pattern, name] of traps) if (pattern.test(text)) return name;
  return text;
}

function argument(text) {
  const [type, value] = text.split(':');
  switch (type) {
    case 'i32': return Number(value);
    case 'i64': return BigInt(value);
    case 'f32': view.setUint32(0, Number(value)); return view.getFloat32(0);
    default: view.setBigUint64(0, BigInt(value)); return view.getFloat64(0);
  }
}

function shown(value, type) {
  switch (type) {
    case 'i32': return String(value);
    case 'i64': return String(value);
    case 'f32':
      if (Number.isNaN(value)) return 'nan';
      view.setFloat32(0, value);
      return view.getUint32(0).toString(16);
    default:
      if (Number.isNaN(value)) return 'nan';
      view.setFloat64(0, value);
      return view.getBigUint64(0).toString(16);
  }
}

function memoryHash(memory) {
  let hash = 0x811c9dc5;
  for (const byte of new Uint8Array(memory.buffer)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16);
}

// What modules of wasm-opt tell on their way.
let log = [];
const logged = Object.fromEntries(['i32', 'i64', 'f32', 'f64', 'v128'].map(
  (type) => [`log-${type}`, (value) => { log.push(shown(value, type)); }]));

function said() {
  return log.length === 0 ? '' : ` said ${log.join(' ')}`;
}

function run({ wasm, calls }) {
  const lines = [];
  let instance;
  try {
    instance = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(wasm, 'base64')), { 'fuzzing-support': logged });
  } catch (error) {
    return [error instanceof WebAssembly.CompileError ? `compile: ${error.message}` : `start: ${trapOf(error)}`];
  }
  for (const { name, arguments: given, results } of calls) {
    if (!instance.exports[name]) {
      lines.push(`${name}: missing`);
      continue;
    }
    log = [];
    try {
      const answer = instance.exports[name](...given.map(argument));
      const values = results.length === 1 ? [answer] : results.length === 0 ? [] : answer;
      lines.push(`${name}: ${values.map((value, i) => shown(value, results[i])).join(' ')}${said()}`);
    } catch (error) {
      lines.push(`${name}: trap ${trapOf(error)}${said()}`);
    }
  }
  for (const [name, value] of Object.entries(instance.exports)) {
    if (value instanceof WebAssembly.Memory) lines.push(`${name}: ${value.buffer.byteLength} ${memoryHash(value)}`);
    if (value instanceof WebAssembly.Global && name.startsWith('g')) lines.push(`${name}: ${shown(value.value, name.split('_')[1])}`);
  }
  return lines;
}

for await (const line of createInterface({ input: process.stdin })) process.stdout.write(JSON.stringify(run(JSON.parse(line))) + '\n');
