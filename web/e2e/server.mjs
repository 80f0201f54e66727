// A server of its own for a run of the tests, and what talks to it beside the browser.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = process.env.STDOPS_PROGRAM ?? fileURLToPath(new URL('../../bin/stdops', import.meta.url));

/** How long anything may take on a slow machine, in milliseconds. */
export const patience = Number(process.env.PATIENCE ?? 60_000);

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Gives what `get` gives once that is neither undefined nor false; fails with the last error after a long while. */
export async function eventually(what, get) {
  const end = Date.now() + patience;
  for (;;) {
    let problem = '';
    try {
      const value = await get();
      if (value !== undefined && value !== false && value !== null) return value;
    } catch (error) {
      problem = `: ${error.message}`;
    }
    if (Date.now() > end) throw new Error(`${what} did not come about${problem}`);
    await pause(50);
  }
}

async function freePort() {
  const probe = createServer();
  await new Promise((resolve, reject) => probe.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Passes on what browsers and a server say to each other, until it is cut. */
export class Wire {
  #open = new Set();
  #listener;

  constructor(port, to) {
    this.port = port;
    this.to = to;
  }

  async mend() {
    this.#listener = createServer((near) => {
      const far = connect(this.to, '127.0.0.1');
      for (const end of [near, far]) {
        this.#open.add(end);
        end.on('error', () => {});
        end.on('close', () => {
          this.#open.delete(end);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far).pipe(near);
    });
    await new Promise((resolve, reject) => {
      this.#listener.once('error', reject).listen(this.port, '127.0.0.1', resolve);
    });
  }

  async cut() {
    const closed = new Promise((resolve) => this.#listener.close(resolve));
    for (const end of this.#open) end.destroy();
    await closed;
  }
}

/**
 * A server with its data directory. One with a `path` is served below that, such as /stdops, and browsers reach it over a
 * wire that can be cut.
 */
export class Server {
  #dir = mkdtempSync(join(tmpdir(), 'stdops-e2e-'));
  #path;
  #process;
  #port;
  #log = '';
  /** The address of the app, which ends with a slash. */
  url = '';
  /** The same for those who talk to the server itself. */
  own = '';

  constructor(path = '') {
    this.#path = path;
  }

  get dir() {
    return this.#dir;
  }

  get pid() {
    return this.#process.pid;
  }

  async start() {
    // It keeps its port over a restart, and the public address names it.
    this.#port ??= await freePort();
    this.own = `http://127.0.0.1:${this.#port}${this.#path}/`;
    if (this.#path && !this.wire) {
      this.wire = new Wire(await freePort(), this.#port);
      await this.wire.mend();
    }
    this.url = this.wire ? `http://127.0.0.1:${this.wire.port}${this.#path}/` : this.own;
    this.#process = spawn(
      program,
      [
        ...['serve', '--listen', `127.0.0.1:${this.#port}`, '--data-dir', join(this.#dir, 'data')],
        ...['--public-url', this.url.slice(0, -1), '--time-zone', 'UTC', '--test-plugins'],
        ...['--local-scripts', 'same-user', '--limit', 'rate=0', '--limit', 'failures=0'],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const server = this.#process;
    server.stderr.on('data', (piece) => {
      this.#log = (this.#log + piece).slice(-20_000);
    });
    await eventually('the start of the server', async () => {
      if (server.exitCode !== null) throw new Error(`it ended: ${this.#log}`);
      return (await fetch(`${this.own}readyz`)).ok;
    });
    return this;
  }

  /** Stops it for a while: `start` goes on with the same data. */
  async stop(signal = 'SIGTERM') {
    const server = this.#process;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill(signal);
    const late = setTimeout(() => server.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(late);
  }

  async end() {
    await this.stop();
    await this.wire?.cut();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** Runs a command of the program as administrator, over the socket of the data directory. */
  cli(...args) {
    const run = spawnSync(program, ['--data-dir', join(this.#dir, 'data'), ...args, '-o', 'json'], {
      encoding: 'utf8',
    });
    if (run.status !== 0) throw new Error(`stdops ${args.join(' ')}: ${run.stderr}`);
    return JSON.parse(run.stdout);
  }

  /** The native API as the user of a token. */
  api(token) {
    return new Api(this, token);
  }
}

/** The native API as one user. */
export class Api {
  constructor(server, token) {
    this.server = server;
    this.token = token;
  }

  async call(method, path, body) {
    for (;;) {
      const answer = await fetch(`${this.server.own}api/v1/${path}`, {
        method,
        headers: { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      const text = await answer.text();
      if (answer.ok) return text === '' ? undefined : JSON.parse(text);
      if (answer.status !== 503) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 1000)}`);
      await pause(100);
    }
  }

  /** Makes a task, and starts it unless told otherwise. */
  task(project, name, tree, { start = true } = {}) {
    return this.call('POST', `projects/${project}/tasks`, { name, tree, start });
  }

  get(project, id) {
    return this.call('GET', `projects/${project}/tasks/${id}?run=true`);
  }

  do(project, id, command, rest = {}) {
    return this.call('POST', `projects/${project}/tasks/${id}/commands`, { command, ...rest });
  }

  change(project, id, constants) {
    return this.call('PATCH', `projects/${project}/tasks/${id}`, { constants });
  }

  async constants(project, id) {
    return (await this.call('GET', `projects/${project}/tasks/${id}/constants`)).constants;
  }

  async states(project, id) {
    return (await this.call('GET', `projects/${project}/tasks/${id}/states`)).nodes;
  }

  async events(project, id) {
    return (await this.call('GET', `projects/${project}/tasks/${id}/events?limit=1000&order=asc`)).events;
  }

  graph(project, id) {
    return this.call('GET', `projects/${project}/tasks/${id}/graph`);
  }

  /** Waits until a task is in a state. */
  until(project, id, state) {
    return eventually(`task ${id} being ${state}`, async () => {
      const task = await this.get(project, id);
      if (task.state !== state) throw new Error(`it is ${task.state}`);
      return task;
    });
  }

  /** Waits until a node, by its name, is in a state. */
  async untilNode(project, id, name, state, phase) {
    const graph = await this.graph(project, id);
    const { index } = graph.nodes.find((n) => n.name === name);
    return eventually(`node ${name} of task ${id} being ${state}`, async () => {
      const node = (await this.states(project, id)).find((n) => n.index === index);
      if (node?.state !== state || (phase && node.phase !== phase))
        throw new Error(`it is ${node?.state} ${node?.phase}`);
      return node;
    });
  }
}
