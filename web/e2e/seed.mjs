// What the tests look at: users, flows, and tasks in every state. The tasks of the project `shop` are only looked at; tests
// that change something make tasks of their own in `walks`.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { act, excl, large, par, sub, tree } from './tree.mjs';

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));

/** A release: a check, two branches, a subprocess, a choice, and an end; `over` changes single steps. */
export function release(over = {}) {
  const step = (name, code, inputs) => over[name] ?? act(name, code, inputs);
  return [
    step('Check the disk', 'debug_no_schedule_node', { host: 'web-01', least: '20G' }),
    par('both sites', [
      [step('Push the files', 'debug_no_schedule_node', { version: '2.14', hosts: ['web-01', 'web-02'] })],
      [step('Tell the team', 'bk_display', { bk_display_message: 'release 2.14 begins' })],
    ]),
    sub('Restart the site', [step('Take it out'), step('Restart'), step('Bring it back')]),
    excl('Healthy?', [
      ['1 == 1', [step('Announce', 'bk_display', { bk_display_message: 'done' })]],
      ['1 == 2', [step('Roll back')]],
    ]),
  ];
}

/** A script that writes `lines` lines, then ends, or goes on when a file is there. */
export function script(lines, gate) {
  const text = [
    'i=1',
    `while [ $i -le ${lines} ]; do printf '2026-01-01 10:00:00 host web-%02d: file %d of ${lines} sent\\n' $((i % 40)) $i; i=$((i + 1)); done`,
    `printf '\\033[31mwarning:\\033[0m one file was there already\\n'`,
  ];
  if (gate) text.push(`while [ ! -e '${gate}' ]; do sleep 0.1; done`, 'echo the gate is open');
  return act('Send the files', 'shell_script', { script: text.join('\n') });
}

/** Makes `count` things, a few at a time, in order. */
export async function many(count, make, atOnce = 8) {
  const made = [];
  let next = 0;
  const work = async () => {
    while (next < count) {
      const i = next++;
      made[i] = await make(i);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return made;
}

/** Users, projects and tokens. */
export function people(server) {
  const shop = 1;
  const walks = server.cli('project', 'create', 'walks').id;
  const odd = server.cli('project', 'create', 'odd').id;
  const token = (name, ...args) => {
    server.cli('user', 'create', name, ...args);
    return server.cli('token', 'create', name).token;
  };
  return {
    shop,
    walks,
    odd,
    ann: token('ann', '--admin'),
    olga: token('olga', '--role', `${walks}=operator`),
    vic: token('vic', '--role', `${shop}=viewer`, '--role', `${walks}=viewer`),
    nobody: token('nobody'),
    link: (name) => new URL(server.cli('user', 'link', name).url).pathname.split('/').at(-1),
  };
}

/** The flows and tasks of the project `shop`. */
export async function shop(server, api, project) {
  const flow = (name, file) =>
    server.cli('flow', 'create', '-f', file, '--name', name, '--project', String(project)).id;
  const flows = {
    deploy: flow('Deploy a version', join(examples, 'deploy.json')),
    restart: flow('Rolling restart', join(examples, 'rolling-restart.json')),
    healthy: flow('Wait until healthy', join(examples, 'wait-until-healthy.json')),
    sites: flow('Two sites', join(examples, 'two-sites.json')),
  };
  const of = (id, name) => api.call('POST', `projects/${project}/tasks`, { name, flow: id, start: true });
  const hour = { bk_timing: '3600' };
  const broken = act('Push the files', 'shell_script', {
    script: 'echo "sending version 2.14 to web-01"\necho "rsync: connection to $HOST refused" >&2\nexit 12',
    env: { HOST: 'web-02' },
  });

  const tasks = {};
  tasks.finished = await api.task(project, 'Release 2.13 of the web shop', tree(release()));
  tasks.looped = await of(flows.healthy, 'Wait until the search is healthy');
  tasks.parent = await of(flows.sites, 'Release both sites');
  tasks.created = await api.task(project, 'Release 2.15 of the web shop', tree(release()), { start: false });
  tasks.running = await api.task(
    project,
    'Maintenance window of the database',
    tree(release({ Restart: act('Restart', 'sleep_timer', hour) })),
  );
  tasks.paused = await api.task(
    project,
    'Move the mail queue',
    tree(release({ 'Tell the team': act('Tell the team', 'sleep_timer', hour) })),
  );
  await api.untilNode(project, tasks.paused.id, 'Tell the team', 'RUNNING');
  await api.do(project, tasks.paused.id, 'pause', { reason: 'the switch is being replaced' });
  tasks.nodePaused = await api.task(
    project,
    'Release 2.14 of the mobile api',
    tree(release({ 'Check the disk': act('Check the disk', 'callback_node') })),
  );
  await api.untilNode(project, tasks.nodePaused.id, 'Check the disk', 'RUNNING', 'waiting');
  await api.do(project, tasks.nodePaused.id, 'pause-node', { node: 'Announce', reason: 'after the press release' });
  await api.do(project, tasks.nodePaused.id, 'callback', { node: 'Check the disk', data: { bit: 1 } });
  tasks.failed = await api.task(
    project,
    'Release 2.14 of the web shop',
    tree(release({ 'Push the files': broken, 'Tell the team': act('Tell the team', 'sleep_timer', hour) })),
  );
  tasks.failedGateway = await api.task(
    project,
    'Clean up after the sale',
    tree([
      act('Count the orders'),
      excl('Which day?', [
        ['1 == 2', [act('Weekday')]],
        ['2 == 3', [act('Weekend')]],
      ]),
    ]),
  );
  tasks.waiting = await api.task(
    project,
    'Renew the certificates',
    tree(release({ 'Bring it back': act('Bring it back', 'callback_node') })),
  );
  tasks.log = await api.task(project, 'Copy the pictures', tree([script(5000)]));
  tasks.revoked = await api.task(project, 'Reindex the search', tree([act('Reindex', 'sleep_timer', hour)]));
  await api.untilNode(project, tasks.revoked.id, 'Reindex', 'RUNNING');
  await api.do(project, tasks.revoked.id, 'revoke', { reason: 'started twice' });
  tasks.big = await api.task(project, 'Patch 800 hosts', tree(large(1000)));

  // A release of many zones, in which one step fails in some.
  const zones = await many(25, (i) =>
    api.task(
      project,
      `Release 2.14 to zone ${String(i + 1).padStart(2, '0')}`,
      tree(
        release({
          'Push the files': i % 4 === 1 ? broken : undefined,
          Restart: i % 5 === 2 ? act('Restart', 'sleep_timer', hour) : undefined,
        }),
      ),
    ),
  );
  const wants = {
    finished: 'FINISHED',
    looped: 'FINISHED',
    parent: 'FINISHED',
    failed: 'FAILED',
    failedGateway: 'FAILED',
    nodePaused: 'NODE_SUSPENDED',
    log: 'FINISHED',
    big: 'FAILED',
  };
  for (const [key, state] of Object.entries(wants)) await api.until(project, tasks[key].id, state);
  await api.untilNode(project, tasks.waiting.id, 'Bring it back', 'RUNNING', 'waiting');
  await api.untilNode(project, tasks.running.id, 'Restart', 'RUNNING');
  const ids = Object.fromEntries(Object.entries(tasks).map(([key, { id }]) => [key, id]));
  return { flows, ids, zones: zones.map((t) => t.id) };
}

/** Opens the gate of a script. */
export function openGate(file) {
  writeFileSync(file, '');
}
