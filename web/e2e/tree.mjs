// Makes pipeline trees of short descriptions. A flow is a list of items, each after the one before:
//
//   act(name, code, inputs)        an activity
//   par(name, [flow, …])           a parallel gateway, its branches, and the gateway where they meet
//   excl(name, [[when, flow], …])  an exclusive gateway; a branch whose flow is back(name) leads to that node again
//   sub(name, flow)                a subprocess

/** An activity. What `more` has goes over what an activity has by itself. */
export const act = (name, code = 'debug_no_schedule_node', inputs = {}, more = {}) => ({
  kind: 'ServiceActivity',
  name,
  code,
  inputs,
  more,
});
export const par = (name, branches) => ({
  kind: 'ParallelGateway',
  name,
  branches: branches.map((b) => [undefined, b]),
});
export const excl = (name, branches) => ({ kind: 'ExclusiveGateway', name, branches });
export const sub = (name, flow) => ({ kind: 'SubProcess', name, flow });
export const back = (name) => ({ back: name });

/** The tree of a flow. */
export function tree(flow, constants = {}) {
  const out = { activities: {}, gateways: {}, flows: {}, constants, outputs: [] };
  const nodes = [];
  const named = new Map();
  let last = 0;
  const add = (type, name, more = {}) => {
    const node = { id: `n${++last}`, type, name, incoming: [], outgoing: [], ...more };
    nodes.push(node);
    named.set(name, node);
    if (type.endsWith('Gateway')) out.gateways[node.id] = node;
    else if (type === 'ServiceActivity' || type === 'SubProcess') out.activities[node.id] = node;
    return node;
  };
  const link = (from, to) => {
    const id = `f${++last}`;
    out.flows[id] = { id, source: from.id, target: to.id, is_default: false };
    from.outgoing.push(id);
    to.incoming.push(id);
    return id;
  };
  // Puts items after `from`; gives the last node, or undefined where the way leads back.
  const put = (items, from, first = () => {}) => {
    let before = from;
    for (const item of items) {
      if (item.back !== undefined) {
        const id = link(before, named.get(item.back));
        if (before === from) first(id);
        return undefined;
      }
      const node = add(item.kind, item.name, bodyOf(item));
      const id = link(before, node);
      if (before === from) first(id);
      before = item.branches ? split(item, node) : node;
    }
    return before;
  };
  const split = (item, node) => {
    const ends = [];
    if (item.kind === 'ExclusiveGateway') node.conditions = {};
    for (const [when, branch] of item.branches) {
      const end = put(branch, node, (id) => {
        if (when !== undefined) node.conditions[id] = { name: when, evaluate: when };
      });
      if (end) ends.push(end);
    }
    const join = add('ConvergeGateway', item.kind === 'ParallelGateway' ? '' : 'joined');
    for (const end of ends) link(end, join);
    return join;
  };
  const start = add('EmptyStartEvent', '');
  out.start_event = start;
  const end = put(flow, start);
  out.end_event = add('EmptyEndEvent', '');
  link(end, out.end_event);
  for (const node of nodes) {
    if (node.type === 'EmptyStartEvent') node.incoming = '';
    if (!['ParallelGateway', 'ExclusiveGateway'].includes(node.type)) node.outgoing = node.outgoing[0] ?? '';
  }
  return out;
}

function bodyOf(item) {
  if (item.kind === 'SubProcess') {
    return { pipeline: tree(item.flow), optional: true, hooked_constants: [] };
  }
  if (item.kind !== 'ServiceActivity') return {};
  const data = Object.fromEntries(Object.entries(item.inputs).map(([k, value]) => [k, { hook: false, value }]));
  return {
    optional: true,
    skippable: true,
    retryable: true,
    error_ignorable: false,
    component: { code: item.code, data },
    ...item.more,
  };
}

/** A flow of about `size` nodes and one and a half times as many edges: rows of splits with ten branches each. */
export function large(size) {
  const flow = [];
  const width = 10;
  for (let b = 0; b * (width + 2) < size - 2; b++) {
    const branches = Array.from({ length: width }, (_, i) => [
      i === 3 && b === 4
        ? act(`Check host ${b}-${i}`, 'fail_ctrl_node', { bit: 0 })
        : act(`${['Push files to', 'Check', 'Restart', 'Warm up'][i % 4]} host ${b}-${i}`),
    ]);
    flow.push(par(`wave ${b + 1}`, branches));
  }
  return flow;
}
