import { call } from './http';
import type { Intent } from './intent';
import type {
  BulkCommand,
  Command,
  Durations,
  EventList,
  Flow,
  FlowDetail,
  Graph,
  Json,
  LogHits,
  Me,
  NewTask,
  NodeDetail,
  NodeLog,
  Project,
  ProjectDetail,
  Session,
  SignInLink,
  States,
  StatusList,
  Task,
  TaskConstant,
  TaskCount,
  TaskFilter,
  TaskList,
  TaskPage,
  Verdict,
  Version,
} from './types';

const node = (project: number, task: number, id: string) =>
  `projects/${project}/tasks/${task}/nodes/${encodeURIComponent(id)}`;

// However often it is sent, it has one effect.
function once(intent: Intent, request: unknown) {
  return { headers: { 'Idempotency-Key': intent.key(request) } };
}

/** The calls of the native API that the app makes. */
export const api = {
  version: (signal?: AbortSignal) => call<Version>('version', { signal }),
  session: (signal?: AbortSignal) => call<Session>('session', { signal }),
  signIn: (body: { token: string } | { link: string; name?: string }) => call<Me>('session', { method: 'POST', body }),
  signOut: () => call<void>('session', { method: 'DELETE' }),
  link: (link: string, signal?: AbortSignal) =>
    call<SignInLink>('session:link', { method: 'POST', body: { link }, signal }),

  projects: (signal?: AbortSignal) => call<{ projects: Project[] }>('projects', { signal }),
  project: (id: number, signal?: AbortSignal) => call<ProjectDetail>(`projects/${id}`, { signal }),

  tasks: (project: number, page: TaskPage, signal?: AbortSignal) =>
    call<TaskList>(`projects/${project}/tasks`, { query: { ...page }, signal }),
  count: (project: number, filter: TaskFilter, signal?: AbortSignal) =>
    call<TaskCount>(`projects/${project}/tasks:count`, { query: { ...filter }, signal }),
  status: (project: number, body: { ids: number[]; nodes?: boolean; run?: boolean }, signal?: AbortSignal) =>
    call<StatusList>(`projects/${project}/tasks:status`, { method: 'POST', body, signal }),
  command: (project: number, body: BulkCommand, intent: Intent) =>
    call<{ results: Verdict[] }>(`projects/${project}/tasks:command`, { method: 'POST', body, ...once(intent, body) }),
  createTask: (project: number, body: NewTask, intent: Intent) =>
    call<Task>(`projects/${project}/tasks`, { method: 'POST', body, ...once(intent, body) }),

  task: (project: number, id: number, signal?: AbortSignal) =>
    call<Task>(`projects/${project}/tasks/${id}`, { query: { run: true }, signal }),
  deleteTask: (project: number, id: number) => call<void>(`projects/${project}/tasks/${id}`, { method: 'DELETE' }),
  changeTask: (
    project: number,
    id: number,
    body: { constants: Record<string, Json>; reason?: string },
    intent: Intent,
  ) => call<Task>(`projects/${project}/tasks/${id}`, { method: 'PATCH', body, ...once(intent, body) }),
  /** `seen` names what it is to be done to, such as an attempt: to the next one it is something else. */
  do: (project: number, id: number, body: Command, intent: Intent, seen?: string) =>
    call<Task>(`projects/${project}/tasks/${id}/commands`, {
      ...{ method: 'POST', body, query: { run: true } },
      ...once(intent, [body, seen]),
    }),

  graph: (project: number, id: number, signal?: AbortSignal) =>
    call<Graph>(`projects/${project}/tasks/${id}/graph`, { signal }),
  states: (project: number, id: number, signal?: AbortSignal) =>
    call<States>(`projects/${project}/tasks/${id}/states`, { signal }),
  durations: (project: number, id: number, signal?: AbortSignal) =>
    call<Durations>(`projects/${project}/tasks/${id}/durations`, { signal }),
  events: (
    project: number,
    id: number,
    page: { cursor?: string; limit?: number; order?: 'asc' | 'desc'; commands?: boolean },
    signal?: AbortSignal,
  ) => call<EventList>(`projects/${project}/tasks/${id}/events`, { query: page, signal }),
  constants: (project: number, id: number, signal?: AbortSignal) =>
    call<{ constants: TaskConstant[] }>(`projects/${project}/tasks/${id}/constants`, { signal }),
  node: (project: number, task: number, id: string, loop?: number, signal?: AbortSignal) =>
    call<NodeDetail>(node(project, task, id), { query: { loop }, signal }),
  log: (
    project: number,
    task: number,
    id: string,
    page: { attempt?: number; from?: number; limit?: number; tail?: number; line?: number },
    signal?: AbortSignal,
  ) => call<NodeLog>(`${node(project, task, id)}/log`, { query: page, signal }),
  searchLog: (
    project: number,
    task: number,
    id: string,
    page: { attempt: number; search: string; cursor?: string; limit: number },
    signal?: AbortSignal,
  ) => call<LogHits>(`${node(project, task, id)}/log`, { query: page, signal }),

  flows: (project: number, signal?: AbortSignal) => call<{ flows: Flow[] }>(`projects/${project}/flows`, { signal }),
  flow: (project: number, id: number, signal?: AbortSignal) =>
    call<FlowDetail>(`projects/${project}/flows/${id}`, { signal }),
};
