// The drawer of a node and its log, which the page of a task opens.
export { Changes } from './Changes';
export { type Change, equal, hidden, type InputFault, type InputField, readFields, turn, written } from './inputs';
export { JsonView } from './JsonView';
export { NodeDrawer, type NodeDrawerProps } from './NodeDrawer';
export { faultText, ValueField, ValueLabel } from './ValueField';
