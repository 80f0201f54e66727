// Measures the graph and the board in a browser and prints what comes of it beside what is wanted: node perf/run.mjs. Figures
// of a machine that does something else at the same time mean nothing, so nothing fails here.
import { spawnSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Server } from '../e2e/server.mjs';
import { initialScripts } from '../e2e/size.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));

function run(script, args, env = {}) {
  const done = spawnSync(process.execPath, [here + script, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (!done.stdout) throw new Error(`${script} told nothing`);
  return JSON.parse(done.stdout);
}

const rows = [];
const row = (what, value, wanted) => rows.push([what, String(value ?? '-'), wanted]);
const longest = (tasks) => Math.max(0, ...tasks.map((t) => t.ms));

const server = await new Server().start();
try {
  server.cli('user', 'create', 'ann', '--admin');
  const { token } = server.cli('token', 'create', 'ann');
  const env = { STDOPS_URL: server.url.slice(0, -1), STDOPS_TOKEN: token };
  for (const graph of run('graph.mjs', ['1000', '5000'], env)) {
    const of = `graph of ${graph.nodes} nodes, ${graph.edges} edges`;
    const large = graph.nodes > 2000;
    row(`${of}: first picture after the data, ms`, graph.first_picture_ms, large ? '' : '<= 1000');
    for (const near of ['far', 'near']) {
      const pan = graph[`pan_${near}`];
      row(`${of}: work of a frame while panning, ${near}, p95, ms`, pan.p95_ms, large ? '' : '<= 8');
      row(`${of}: longest task while panning, ${near}, ms`, longest(pan.long_tasks), large ? '' : '<= 50');
    }
    row(`${of}: longest task after the first picture, ms`, longest(graph.long_tasks_after), large ? '' : '<= 50');
  }
} finally {
  await server.end();
}
for (const view of ['rows', 'grid']) {
  const board = run('board.mjs', ['--view', view]);
  const of = `board of ${board.tasks} tasks, ${view}, ${board.changes_per_s} changes/s`;
  row(`${of}: first rows, ms`, board.first_rows_ms, '');
  row(`${of}: longest task, ms`, board.longest_ms, '<= 50');
  row(`${of}: shows what the server says`, board.agrees, 'true');
}
row(
  'first scripts, bytes gzipped',
  [...initialScripts().values()].reduce((a, b) => a + b, 0),
  '<= 350000',
);

const width = Math.max(...rows.map(([what]) => what.length));
console.log(
  `load ${loadavg()
    .map((l) => l.toFixed(1))
    .join(' ')}`,
);
for (const [what, value, wanted] of rows) console.log(`${what.padEnd(width)}  ${value.padStart(8)}  ${wanted}`);
