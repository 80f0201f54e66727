// Measures the status board in a real browser against a real server: 500 tasks, of which 50 a second change for ten
// seconds because of commands that are sent to the API meanwhile. Prints figures as JSON; fails when the board does not
// show in the end what the server says, or when --longest is given and a task of the main thread took longer.
//
//   node perf/board.mjs [--tasks 500] [--rate 50] [--seconds 10] [--view rows|grid] [--longest 50]
//
// Uses ../bin/stdops, which is made by `make build`, or the program that STDOPS_BIN names, and the Chromium that CHROMIUM
// names.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '500' },
    rate: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '10' },
    view: { type: 'string', default: 'rows' },
    longest: { type: 'string' },
  },
});
const count = Number(values.tasks);
const rate = Number(values.rate);
const seconds = Number(values.seconds);
const batchEvery = 100;
const program = process.env.STDOPS_BIN ?? fileURLToPath(new URL('../../bin/stdops', import.meta.url));
const browserPath = process.env.CHROMIUM ?? '/usr/bin/chromium';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A line of activities, of which one takes long, so that there is time for commands.
function tree() {
  const steps = Array.from({ length: 20 }, (_, i) => (i === 7 ? '3600' : undefined));
  const ids = ['start', ...steps.map((_, i) => `a${i}`), 'end'];
  const flows = {};
  for (let i = 0; i + 1 < ids.length; i++) {
    flows[`f${i}`] = { id: `f${i}`, source: ids[i], target: ids[i + 1], is_default: false };
  }
  const activities = {};
  steps.forEach((wait, i) => {
    activities[`a${i}`] = {
      id: `a${i}`,
      type: 'ServiceActivity',
      name: `step ${i + 1}`,
      incoming: [`f${i}`],
      outgoing: `f${i + 1}`,
      optional: true,
      retryable: true,
      skippable: true,
      error_ignorable: false,
      component: wait
        ? { code: 'sleep_timer', data: { bk_timing: { hook: false, value: wait } } }
        : { code: 'bk_display', data: { bk_display_message: { hook: false, value: 'on we go' } } },
    };
  });
  return {
    start_event: { id: 'start', type: 'EmptyStartEvent', name: '', incoming: '', outgoing: 'f0' },
    end_event: { id: 'end', type: 'EmptyEndEvent', name: '', incoming: [`f${ids.length - 2}`], outgoing: '' },
    activities,
    flows,
    gateways: {},
    constants: {},
    outputs: [],
  };
}

const dir = mkdtempSync(join(tmpdir(), 'stdops-board-'));
const server = spawn(program, ['serve', '--listen', '127.0.0.1:0', '--data-dir', join(dir, 'data')], {
  stdio: ['ignore', 'ignore', 'pipe'],
});
let context;
let failed = false;
try {
  const url = await new Promise((resolve, reject) => {
    let text = '';
    server.stderr.on('data', (piece) => {
      text += piece;
      const found = /"public_url":"([^"]+)"/.exec(text);
      if (found) resolve(found[1]);
    });
    server.on('exit', () => reject(new Error(`the server ended: ${text}`)));
  });
  const cli = (...args) => {
    const run = spawnSync(program, ['--data-dir', join(dir, 'data'), ...args], { encoding: 'utf8' });
    if (run.status !== 0) throw new Error(`${args.join(' ')}: ${run.stderr}`);
    return run.stdout;
  };
  cli('user', 'create', 'ann', '--admin');
  const { token } = JSON.parse(cli('token', 'create', 'ann', '-o', 'json'));
  const call = async (path, body) => {
    for (;;) {
      const answer = await fetch(`${url}/api/v1/projects/1/${path}`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (answer.ok) return answer.json();
      if (answer.status !== 429 && answer.status !== 503) throw new Error(`${path}: ${await answer.text()}`);
      await answer.text();
      await sleep(100);
    }
  };

  const flow = tree();
  const ids = [];
  const make = async () => {
    while (ids.length < count) {
      const at = ids.push(0) - 1;
      ids[at] = (await call('tasks', { name: `release of zone ${at + 1}`, tree: flow, start: true })).id;
    }
  };
  await Promise.all(Array.from({ length: 8 }, make));

  context = await chromium.launchPersistentContext(join(dir, 'browser'), {
    executablePath: browserPath,
    headless: true,
    viewport: { width: 1440, height: 900 },
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  });
  const page = context.pages()[0] ?? (await context.newPage());
  await page.addInitScript(() => {
    window.figures = { tasks: [], frames: [] };
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.figures.tasks.push(Math.round(entry.duration));
    }).observe({ type: 'longtask', buffered: true });
    let last = performance.now();
    const frame = (now) => {
      window.figures.frames.push(now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  await page.goto(`${url}/login`);
  await page.evaluate(async (token) => {
    await fetch(new URL('api/v1/session', document.baseURI), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token }),
    });
  }, token);
  const opened = Date.now();
  const view = values.view === 'grid' ? '&view=grid' : '';
  await page.goto(`${url}/board/1/?ids=${ids.join(',')}${view}`);
  await page.waitForSelector(values.view === 'grid' ? '.board-cell .shape' : '.board-row');
  const firstRows = Date.now() - opened;
  await sleep(3000);

  const take = () =>
    page.evaluate(() => {
      const taken = window.figures;
      window.figures = { tasks: [], frames: [] };
      return taken;
    });
  const before = await take();
  const paused = new Set();
  let sent = 0;
  let refused = 0;
  let next = 0;
  const waiting = [];
  const each = Math.max(1, Math.round((rate * batchEvery) / 1000));
  const began = Date.now();
  for (let batch = 0; batch * batchEvery < seconds * 1000; batch++) {
    const targets = Array.from({ length: each }, () => ids[next++ % ids.length]);
    const resumed = targets.filter((id) => paused.has(id));
    for (const [command, list] of [
      ['pause', targets.filter((id) => !paused.has(id))],
      ['resume', resumed],
    ]) {
      const of = list.map((task) => ({ task }));
      if (of.length === 0) continue;
      sent += of.length;
      waiting.push(
        call('tasks:command', { command, targets: of }).then(({ results }) => {
          refused += results.filter((r) => !r.ok).length;
        }),
      );
      for (const { task } of of) {
        if (command === 'pause') paused.add(task);
        else paused.delete(task);
      }
    }
    await sleep(Math.max(0, began + (batch + 1) * batchEvery - Date.now()));
  }
  await Promise.all(waiting);
  const took = Date.now() - began;
  const during = await take();

  // What the board shows in the end is what the server says.
  const status = await call('tasks:status', { ids });
  const said = {};
  for (const { state } of status.tasks) said[state] = (said[state] ?? 0) + 1;
  const words = { RUNNING: 'Running', SUSPENDED: 'Paused' };
  let shown = {};
  for (let i = 0; i < 50; i++) {
    shown = await page.evaluate(() =>
      Object.fromEntries(
        [...document.querySelectorAll('.board-total')].map((b) => [
          b.querySelector('.board-total-word').textContent,
          Number(b.querySelector('strong').textContent.replaceAll(/\D/g, '')),
        ]),
      ),
    );
    if (Object.entries(said).every(([state, n]) => shown[words[state]] === n)) break;
    await sleep(100);
  }
  const agrees = Object.entries(said).every(([state, n]) => shown[words[state]] === n);

  const sum = (list) => list.reduce((a, b) => a + b, 0);
  const longest = Math.max(0, ...during.tasks);
  const frames = during.frames.toSorted((a, b) => a - b);
  console.log(
    JSON.stringify(
      {
        view: values.view,
        tasks: count,
        seconds: took / 1000,
        changes: sent,
        refused,
        changes_per_s: Math.round(sent / (took / 1000)),
        first_rows_ms: firstRows,
        opening: { long_tasks: before.tasks.length, longest_ms: Math.max(0, ...before.tasks) },
        long_tasks: during.tasks.length,
        longest_ms: longest,
        blocked_ms: sum(during.tasks.map((d) => d - 50)),
        frames_per_s: Math.round((during.frames.length / sum(during.frames)) * 1000),
        frame_p99_ms: Math.round(frames[Math.floor(frames.length * 0.99)] ?? 0),
        said,
        agrees,
        load: loadavg().map((l) => Math.round(l * 10) / 10),
      },
      null,
      2,
    ),
  );
  failed = !agrees || (values.longest !== undefined && longest > Number(values.longest));
} finally {
  await context?.close();
  const ended = new Promise((resolve) => server.on('exit', resolve));
  server.kill('SIGTERM');
  await Promise.race([ended, sleep(10_000)]);
  server.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
