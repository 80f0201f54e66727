import { graphlib, layout } from '@dagrejs/dagre';
import { type Level, layered, layOut, type Placer } from './layout';

// Dagre takes seconds from some hundreds of nodes on.
const mostForDagre = 250;

const placer: Placer = (sizes, links) => {
  if (sizes.length / 2 > mostForDagre) return layered(sizes, links);
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 24, ranksep: 56, edgesep: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (let i = 0; i < sizes.length / 2; i++)
    graph.setNode(String(i), { width: sizes[2 * i], height: sizes[2 * i + 1] });
  for (let i = 0; i < links.length; i += 2) graph.setEdge(String(links[i]), String(links[i + 1]));
  layout(graph);
  const middles: number[] = [];
  for (let i = 0; i < sizes.length / 2; i++) {
    const { x = 0, y = 0 } = graph.node(String(i)) as { x?: number; y?: number };
    middles.push(x, y);
  }
  return middles;
};

addEventListener('message', (e: MessageEvent<{ id: number; levels: Level[] }>) => {
  const boxes = layOut(e.data.levels, placer);
  postMessage({ id: e.data.id, boxes }, { transfer: [boxes.buffer] });
});
