// The drawer of a node and its log, which the page of a task opens.
export { JsonView } from './JsonView';
export { NodeDrawer, type NodeDrawerProps } from './NodeDrawer';
