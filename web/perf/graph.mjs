// Measures the graph of a task in a real browser against a real server, and prints figures as JSON:
//
//   STDOPS_URL=http://127.0.0.1:8080 STDOPS_TOKEN=... node perf/graph.mjs [nodes...]
//
// The server needs its test plugins (serve --test-plugins). PAGE_URL is where the app is served, if not by that server;
// CHROMIUM names the browser. For each number of nodes (1000 and 5000 unless others are named) it makes a task, opens it and
// reports: milliseconds from the data to the first picture, work of the main thread per frame while panning far out and close
// by, and the longest tasks of the main thread. Work is processor time, so that a busy machine counts less; `wall` is not.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const server = process.env.STDOPS_URL ?? 'http://127.0.0.1:8080';
const page = process.env.PAGE_URL ?? server;
const token = process.env.STDOPS_TOKEN;
const project = Number(process.env.STDOPS_PROJECT ?? 1);
const sizes = process.argv.slice(2).map(Number);
if (!token) throw new Error('STDOPS_TOKEN is not set');

async function call(method, path, body) {
  const answer = await fetch(`${server}/api/v1/${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 500)}`);
  return text ? JSON.parse(text) : undefined;
}

// Rows of splits with branches of four plugins in turn, so that no two neighbours are alike; in rows like a text, so that
// the whole is about as wide as high.
function makeTree(size) {
  const width = 6;
  let last = 0;
  const id = (prefix) => `${prefix}${String(++last).padStart(30, '0')}`;
  const tree = { activities: {}, gateways: {}, flows: {}, constants: {}, outputs: [], location: [], line: [] };
  const links = new Map();
  const add = (type, name, x, y, more) => {
    const node = { id: id('n'), type, name, ...more };
    links.set(node.id, { node, into: [], out: [] });
    tree.location.push({ id: node.id, type: 'tasknode', name, x, y });
    return node.id;
  };
  const link = (from, to) => {
    const flow = id('l');
    tree.flows[flow] = { id: flow, source: from, target: to, is_default: false };
    links.get(from).out.push(flow);
    links.get(to).into.push(flow);
  };
  const plugins = [
    ['debug_no_schedule_node', {}],
    ['sleep_timer', { bk_timing: { hook: false, value: '1' } }],
    ['debug_node', {}],
    ['schedule_node', {}],
  ];
  const blocks = Math.floor((size - 2) / (width + 2));
  const perRow = Math.max(4, Math.round(Math.sqrt(blocks) * 1.1));
  const start = add('EmptyStartEvent', 'start', -100, 250);
  tree.start_event = links.get(start).node;
  let before = start;
  for (let b = 0; b < blocks; b++) {
    const x = (b % perRow) * 700;
    const y = Math.floor(b / perRow) * 720;
    const split = add('ParallelGateway', '', x, y + 250);
    const join = add('ConvergeGateway', '', x + 480, y + 250);
    tree.gateways[split] = links.get(split).node;
    tree.gateways[join] = links.get(join).node;
    link(before, split);
    for (let k = 0; k < width; k++) {
      const [code, data] = plugins[k % plugins.length];
      const node = add('ServiceActivity', `Push the files ${b}-${k}`, x + 190, y + k * 100, {
        optional: true,
        skippable: true,
        retryable: true,
        error_ignorable: false,
        component: { code, data },
      });
      tree.activities[node] = links.get(node).node;
      link(split, node);
      link(node, join);
    }
    before = join;
  }
  const end = add('EmptyEndEvent', 'end', perRow * 700, Math.floor(blocks / perRow) * 720 + 250);
  tree.end_event = links.get(end).node;
  link(before, end);
  for (const { node, into, out } of links.values()) {
    node.incoming = node.type === 'EmptyStartEvent' ? '' : into;
    node.outgoing = node.type === 'ParallelGateway' ? out : (out[0] ?? '');
  }
  return tree;
}

function percentile(numbers, p) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))];
  return at === undefined ? null : Math.round(at * 10) / 10;
}

// The tasks of the main thread of the page that draws: when each began, how long it took, and its processor time.
function tasksOf(events) {
  const page = events.findLast((e) => e.name === 'FireAnimationFrame');
  const main = events.filter((e) => e.pid === page?.pid && e.tid === page?.tid && e.ph === 'X');
  const tasks = main.filter((e) => e.name === 'RunTask').sort((a, b) => a.ts - b.ts);
  return { main, tasks };
}

// Work between two frames, in milliseconds.
function workPerFrame(events) {
  const { main, tasks } = tasksOf(events);
  const begins = main.filter((e) => e.name === 'FireAnimationFrame').sort((a, b) => a.ts - b.ts);
  const starts = begins.map((e) => e.ts).filter((ts, i, all) => i === 0 || ts - all[i - 1] > 4000);
  const frames = [];
  for (let i = 0; i + 1 < starts.length; i++) {
    let cpu = 0;
    let wall = 0;
    for (const t of tasks) {
      // The task in which a frame is drawn began a little before.
      if (t.ts + t.dur <= starts[i] || t.ts + t.dur > starts[i + 1]) continue;
      cpu += t.tdur ?? t.dur;
      wall += t.dur;
    }
    frames.push({ cpu: cpu / 1000, wall: wall / 1000 });
  }
  return frames.filter((f) => f.wall > 0);
}

function longTasks(events) {
  const { main, tasks } = tasksOf(events);
  return tasks
    .filter((t) => (t.tdur ?? t.dur) > 50_000)
    .map((t) => {
      const inside = main.filter(
        (e) => e !== t && e.ts >= t.ts && e.ts + e.dur <= t.ts + t.dur && e.name !== 'RunTask',
      );
      const greatest = inside.sort((a, b) => b.dur - a.dur).slice(0, 3);
      return {
        ms: Math.round((t.tdur ?? t.dur) / 1000),
        of: greatest.map((e) => `${e.name} ${Math.round(e.dur / 1000)}`),
      };
    });
}

async function traced(client, then) {
  const events = [];
  const collect = ({ value }) => events.push(...value);
  client.on('Tracing.dataCollected', collect);
  await client.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: {
      includedCategories: ['devtools.timeline', 'disabled-by-default-devtools.timeline'],
    },
  });
  await then();
  const done = new Promise((resolve) => client.once('Tracing.tracingComplete', resolve));
  await client.send('Tracing.end');
  await done;
  client.off('Tracing.dataCollected', collect);
  return events;
}

async function pan(tab, client) {
  const area = await tab.locator('.graph-area').boundingBox();
  const [cx, cy] = [area.x + area.width / 2, area.y + area.height / 2];
  const events = await traced(client, async () => {
    for (let round = 0; round < 4; round++) {
      const sign = round % 2 === 0 ? -1 : 1;
      await tab.mouse.move(cx - sign * 300, cy);
      await tab.mouse.down();
      for (let i = 0; i <= 60; i++) {
        await tab.mouse.move(cx - sign * 300 + sign * i * 10, cy + Math.sin(i / 8) * 60);
        await tab.waitForTimeout(12);
      }
      await tab.mouse.up();
    }
  });
  const frames = workPerFrame(events);
  const of = (p, kind) =>
    percentile(
      frames.map((f) => f[kind]),
      p,
    );
  return {
    frames: frames.length,
    p50_ms: of(0.5, 'cpu'),
    p95_ms: of(0.95, 'cpu'),
    worst_ms: of(1, 'cpu'),
    wall_p95_ms: of(0.95, 'wall'),
    long_tasks: longTasks(events),
  };
}

const profile = mkdtempSync(join(tmpdir(), 'stdops-perf-'));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-sync',
  ],
  viewport: { width: 1440, height: 900 },
});
const results = [];
try {
  await browser.addInitScript(() => {
    const marks = { first: 0 };
    window.perfMarks = marks;
    const drawn = () => {
      if (marks.first === 0)
        requestAnimationFrame(() => {
          marks.first ||= performance.now();
        });
    };
    const clear = CanvasRenderingContext2D.prototype.clearRect;
    CanvasRenderingContext2D.prototype.clearRect = function (...given) {
      drawn();
      return clear.apply(this, given);
    };
    // Close by, the lines are elements of the page.
    const watch = new MutationObserver(() => {
      if (!document.querySelector('.graph-lines path')) return;
      watch.disconnect();
      drawn();
    });
    watch.observe(document, { childList: true, subtree: true });
  });
  const signedIn = await browser.request.post(`${page}/api/v1/session`, { data: { token }, headers: { Origin: page } });
  if (!signedIn.ok()) throw new Error(`sign in: ${signedIn.status()}`);
  for (const size of sizes.length > 0 ? sizes : [1000, 5000]) {
    const task = await call('POST', `projects/${project}/tasks`, {
      name: `graph of ${size}`,
      tree: makeTree(size),
      start: true,
    });
    const graph = await call('GET', `projects/${project}/tasks/${task.id}/graph`);
    const tab = await browser.newPage();
    const client = await browser.newCDPSession(tab);
    const loading = await traced(client, async () => {
      await tab.goto(`${page}/taskflow/execute/${project}/?instance_id=${task.id}`);
      await tab.waitForFunction(() => window.perfMarks.first > 0, undefined, { timeout: 60_000 });
    });
    const settling = await traced(client, () => tab.waitForTimeout(4000));
    const data = await tab.evaluate(() =>
      Math.max(
        ...performance
          .getEntriesByType('resource')
          .filter((e) => /\/(graph|states)(\?|$)/.test(e.name))
          .slice(0, 2)
          .map((e) => e.responseEnd),
      ),
    );
    const first = await tab.evaluate(() => window.perfMarks.first);
    await tab.keyboard.press('0');
    await tab.waitForTimeout(800);
    const elements = () => tab.locator('.react-flow__node').count();
    const far = { ...(await pan(tab, client)), elements: await elements() };
    for (let i = 0; i < 40 && (await elements()) === 0; i++) {
      await tab.keyboard.press('+');
      await tab.waitForTimeout(180);
    }
    const near = { ...(await pan(tab, client)), elements: await elements() };
    results.push({
      nodes: graph.nodes.length,
      edges: graph.edges.length,
      first_picture_ms: Math.round(first - data),
      pan_far: far,
      pan_near: near,
      long_tasks_loading: longTasks(loading),
      long_tasks_after: longTasks(settling),
    });
    await tab.close();
    await call('POST', `projects/${project}/tasks/${task.id}/commands`, { command: 'revoke' }).catch(() => {});
  }
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
console.log(JSON.stringify(results, undefined, 2));
