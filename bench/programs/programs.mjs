// Runs WASI programs on this engine. A line of JSON names the module, its arguments and the script on its standard input;
// the answer is the nanoseconds of CPU time that it took, and what it printed is in the file of the first argument. Number
// 0 runs the module that was compiled before, and counts this thread alone; any other compiles it anew, and counts what
// all threads took.
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { WASI } from 'node:wasi';

const modules = new Map();
const total = ({ user, system }) => (user + system) * 1000;
const ofProcess = () => total(process.cpuUsage());
const ofThread = () => total(process.threadCpuUsage());

// A custom section of its own makes the bytes unknown to the engine's cache.
function fresh(bytes, number) {
  return Buffer.concat([bytes, Buffer.from([0, 5, 1, 110, number & 255, number >> 8 & 255, number >> 16 & 255])]);
}

function compiled(path) {
  if (!modules.has(path)) modules.set(path, new WebAssembly.Module(readFileSync(path)));
  return modules.get(path);
}

function run({ module: path, script, number, arguments: words, library, environment }) {
  const bytes = number ? fresh(readFileSync(path), number) : null;
  const [stdin, stdout] = [openSync(script), openSync(process.argv[2], 'w')];
  const clock = number ? ofProcess : ofThread;
  const old = number ? null : compiled(path);
  const began = clock();
  const module = old ?? new WebAssembly.Module(bytes);
  const wasi = new WASI({
    version: 'preview1', args: ['program', ...words], env: environment, preopens: library ? { '/lib': library } : {},
    stdin, stdout, stderr: stdout, returnOnExit: true,
  });
  const code = wasi.start(new WebAssembly.Instance(module, wasi.getImportObject()));
  const took = clock() - began;
  closeSync(stdin);
  closeSync(stdout);
  if (code) throw new Error(`${path} < ${script} exited with ${code}: ${readFileSync(process.argv[2])}`);
  return took;
}

for await (const line of createInterface({ input: process.stdin })) process.stdout.write(`${run(JSON.parse(line))}\n`);
