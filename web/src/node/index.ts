// The drawer of a node and its log, which the page of a task opens.
export { NodeDrawer, type NodeDrawerProps } from './NodeDrawer';
