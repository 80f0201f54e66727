export { ExpectedFact, KnownEnd, UsualSpan } from './Expected';
export { ExpectedOfAll } from './ExpectedOfAll';
export { useUsual } from './useUsual';
export type { Usual } from './usual';
