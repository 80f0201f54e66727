// The types of the wire, as package client of the server has them. Times are RFC 3339 strings.

export type TaskState = 'CREATED' | 'RUNNING' | 'SUSPENDED' | 'NODE_SUSPENDED' | 'FAILED' | 'FINISHED' | 'REVOKED';
export type NodeStateName = TaskState | 'READY';

/** The states that tasks show, in the order of a life. */
export const taskStates: readonly TaskState[] = [
  'CREATED',
  'RUNNING',
  'SUSPENDED',
  'NODE_SUSPENDED',
  'FAILED',
  'FINISHED',
  'REVOKED',
];

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface Version {
  version: string;
  commit?: string;
  go: string;
}

export interface Me {
  user: string;
  admin: boolean;
  local?: boolean;
  /** Zone of the server, an IANA name. */
  time_zone?: string;
}

/** Who has the session of the browser; open to everybody. */
export interface Session {
  user?: string;
  admin?: boolean;
  /** Nobody can sign in to this server yet. */
  fresh?: boolean;
  /** Zone of the server, an IANA name. */
  time_zone?: string;
}

/** Whom a sign-in link is for. */
export interface SignInLink {
  user?: string;
  fresh?: boolean;
}

export interface Project {
  id: number;
  name: string;
  bk_biz_id?: number;
  /** Absent: that of the server. */
  time_zone?: string;
  created_at: string;
}

export interface ProjectDetail extends Project {
  admins: string[];
  permissions: string[];
}

export interface Limit {
  name: string;
  value: number;
  unit: string;
  about: string;
}

export type Phase = 'queued' | 'running' | 'draining' | 'waiting_human' | 'blocked' | 'ended';

export type WhyCode =
  | 'not_started'
  | 'not_claimed'
  | 'slot'
  | 'calling'
  | 'polling'
  | 'callback'
  | 'timer'
  | 'retry_at'
  | 'child'
  | 'paused'
  | 'node_paused'
  | 'person'
  | 'failed'
  | 'stopping'
  | 'finished'
  | 'revoked'
  | 'unreadable';

export interface NodeRef {
  index: number;
  id: string;
  name: string;
}

/** Why something stands as it does; text is English, the rest lets the app say it in its language. */
export interface Why {
  code: WhyCode;
  text: string;
  node?: NodeRef;
  until?: string;
  count?: number;
}

export type TaskCommand = 'start' | 'pause' | 'resume' | 'revoke';
export type NodeCommand =
  | 'retry'
  | 'skip'
  | 'skip-branch'
  | 'callback'
  | 'force-fail'
  | 'pause-node'
  | 'resume-node'
  | 'pause-subprocess'
  | 'resume-subprocess'
  | 'retry-subprocess';
export type CommandName = TaskCommand | NodeCommand;

/** The second axis of how a task stands. */
export interface Run {
  revision: number;
  /** Tasks with the same one share the graph; empty when it cannot be read. */
  tree: string;
  phase: Phase;
  progress: { done: number; total: number };
  running?: NodeRef[];
  running_count: number;
  failed?: NodeRef[];
  failed_count: number;
  paused?: NodeRef[];
  paused_count: number;
  why: Why;
  /** What the server would accept from this caller now. */
  actions: (TaskCommand | 'delete')[];
}

export interface Task {
  id: number;
  name: string;
  project: number;
  state: TaskState;
  flow?: number;
  flow_type: string;
  creator: string;
  executor?: string;
  app?: string;
  created_at: string;
  started_at?: string;
  finished_at?: string;
  /** When the latest of its events was. */
  updated_at?: string;
  elapsed_s: number;
  deleted?: boolean;
  url: string;
  parent?: number;
  children?: number[];
  /** Why its record could not be read in full, or what is wrong with this one of many. */
  problem?: string;
  nodes?: Node[];
  run?: Run;
  /** How long such tasks take, where slow ones were asked for. */
  usual?: { runs: number; median_s: number; p95_s: number };
}

export interface Node {
  /** Its place in the graph. */
  index: number;
  id: string;
  parent: string;
  name: string;
  kind?: string;
  plugin?: string;
  state: NodeStateName;
  phase?: NodePhase;
  loop: number;
  retry: number;
  skipped?: boolean;
  error_ignored?: boolean;
  version?: string;
  started_at?: string;
  /** When the first call of the attempt began. */
  called_at?: string;
  finished_at?: string;
  elapsed_s: number;
  error?: string;
  nodes?: Node[];
}

export type NodePhase = 'queued' | 'executing' | 'scheduling' | 'waiting' | 'appointed';

/** How a node stands, without what its tree says of it. */
export interface NodeState {
  index: number;
  id: string;
  state: NodeStateName;
  phase?: NodePhase;
  loop: number;
  retry: number;
  skipped?: boolean;
  error_ignored?: boolean;
  version?: string;
  started_at?: string;
  /** When the first call of the attempt began. */
  called_at?: string;
  finished_at?: string;
  due_at?: string;
  error?: string;
}

export interface TaskList {
  tasks: Task[];
  next_cursor?: string;
}

export interface TaskFilter {
  keyword?: string;
  creator?: string;
  executor?: string;
  flow?: number;
  created_from?: string;
  created_to?: string;
}

export interface TaskPage extends TaskFilter {
  limit?: number;
  cursor?: string;
  state?: TaskState;
  run?: boolean;
  /** Only tasks under way that take longer than usual. */
  slow?: boolean;
}

export interface TaskCount {
  total: number;
  states: { state: TaskState; tasks: number }[];
  cut?: boolean;
}

export interface StatusList {
  tasks: Task[];
  missing: number[];
  now: string;
}

export interface NewTask {
  name: string;
  description?: string;
  tree?: Json;
  flow?: number;
  constants?: Record<string, Json>;
  schemes?: string[];
  flow_type?: 'common' | 'common_func';
  start?: boolean;
}

export interface Command {
  command: CommandName;
  node?: string;
  inputs?: Json;
  branches?: string[];
  data?: Json;
  version?: string;
  reason?: string;
}

export interface BulkCommand {
  command: TaskCommand | 'retry' | 'skip';
  reason?: string;
  targets: { task: number; node?: string }[];
}

export interface Verdict {
  task: number;
  node?: string;
  ok: boolean;
  code?: string;
  message?: string;
}

export interface GraphNode {
  index: number;
  name: string;
  kind: string;
  plugin?: string;
  /** The subprocess around it; 0 is the root. */
  parent: number;
  optional?: boolean;
  retryable?: boolean;
  skippable?: boolean;
  x?: number;
  y?: number;
}

export interface GraphEdge {
  from: number;
  to: number;
  index: number;
  condition?: string;
  default?: boolean;
  name?: string;
}

export interface Graph {
  tree: string;
  nodes: GraphNode[];
  edges: GraphEdge[];
}

export interface States {
  task: Task;
  now: string;
  nodes: NodeState[];
}

/** How long the latest tasks of a flow took that have one tree; no figures where `runs` is 0. */
export interface Durations {
  tree: string;
  /** Tasks that are told of. */
  runs: number;
  median_s: number;
  p95_s: number;
  nodes: NodeDurations[];
}

export interface NodeDurations {
  index: number;
  runs: number;
  median_s: number;
  /** From its end to that of the task. */
  rest_s: number;
}

export interface Output {
  key: string;
  name?: string;
  value: Json;
}

export interface Branch {
  flow: string;
  node: string;
  name: string;
  condition?: string;
  default?: boolean;
}

/** When an attempt came how far, as far as it is known. */
export interface Timing {
  /** When the attempt before it was retried. */
  retried_at?: string;
  /** While its call waits for a slot, in place of `started_at`. */
  queued_at?: string;
  started_at?: string | undefined;
  /** When its first call began; absent where that is not known. */
  called_at?: string | undefined;
  called_back_at?: string;
  finished_at?: string | undefined;
  /** Of an earlier attempt that FAILED: when it was retried or skipped. */
  left_at?: string;
  due_at?: string;
  deadline_at?: string;
}

/** The process that drives a task. */
export interface Driver {
  name: string;
  pid: number;
  /** It is dead or cut off. */
  lost?: boolean;
}

export interface Attempt extends Node {
  timing?: Timing;
  inputs: Json;
  outputs: Json;
}

export interface NodeDetail extends Node {
  inputs: Json;
  outputs: Output[];
  branches?: Branch[];
  auto_retry?: { times: number; max: number };
  attempts: Attempt[];
  /** The commands that the server would accept for the node from this caller now. */
  actions?: NodeCommand[];
  why?: Why;
  /** The inputs as the tree has them, before rendering. */
  templates?: { [key: string]: Json };
  plugin_version?: string;
  timing?: Timing;
  /** Absent when no process drives the task. */
  driver?: Driver;
  /** When a process is to take a task that none drives. */
  taken_at?: string;
}

/** What an actor asked for, by the words of the events. */
export type AskedFor = CommandName | 'set-constants' | 'set-inputs';

export interface TaskEvent {
  revision: number;
  n: number;
  index: number;
  node: string;
  name: string;
  from: NodeStateName;
  /** The same as before for a command that changed no state. */
  to: NodeStateName;
  command?: AskedFor;
  actor?: string;
  reason?: string;
  at: string;
}

export interface EventList {
  events: TaskEvent[];
  next_cursor?: string;
}

export interface NodeLog {
  node: string;
  attempt: number;
  attempts: number;
  text: string;
  from: number;
  /** The number of the line in which the text begins, where it was counted. */
  line?: number;
  next: number;
  size: number;
  complete: boolean;
  /** When the text was written, in its order; of what comes before the first nothing is known. */
  times?: LogTime[];
}

/** Says that what comes from a byte of a log on was written at a time; without one that is not known. */
export interface LogTime {
  from: number;
  at?: string;
}

/** A line of a log in which a text was found. */
export interface LogHit {
  line: number;
  from: number;
  text: string;
}

export interface LogHits {
  attempt: number;
  hits: LogHit[];
  cursor: string;
  /** Up to which byte the log was looked through. */
  searched: number;
  size: number;
}

export interface Flow {
  id: number;
  name: string;
  description?: string;
  category?: string;
  version: string;
  creator?: string;
  created_at?: string;
  edited_at?: string;
}

export interface Constant {
  key: string;
  name?: string;
  kind?: string;
  value: Json;
  shown: boolean;
}

/** A constant of a task, with the value that it was given. */
export interface TaskConstant extends Constant {
  /** It holds what nodes give out. */
  output?: boolean;
  /** What it was set to while the task ran. */
  current?: Json;
  changeable: boolean;
}

export interface Scheme {
  id: number;
  name: string;
  nodes: string[];
}

export interface FlowDetail extends Flow {
  editor?: string;
  schemes: Scheme[];
  constants: Constant[];
  tree: Json;
}

/** What a watch is about: either ids or a filter. */
export interface WatchRequest {
  ids?: number[];
  filter?: WatchFilter;
  /** With the states of nodes, for at most ten ids. */
  nodes?: boolean;
}

export interface WatchFilter {
  state?: TaskState;
  keyword?: string;
  creator?: string;
  executor?: string;
  flow?: number;
  limit?: number;
}

export interface TasksNews {
  tasks: Task[];
  /** Of a filter: the newest 2,000 tasks that it may mean are followed, and there are older ones. */
  cut?: boolean;
  now: string;
}

export interface NodesNews {
  task: number;
  revision: number;
  nodes: NodeState[];
}

export interface Fault {
  location?: string;
  message: string;
}

/** A problem document. */
export interface Problem {
  title: string;
  status: number;
  code: string;
  detail: string;
  request_id?: string;
  errors?: Fault[];
}
