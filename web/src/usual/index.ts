export { ExpectedFact, KnownEnd, SlowMark, UsualSpan } from './Expected';
export { ExpectedOfAll } from './ExpectedOfAll';
export { useUsual } from './useUsual';
export { isSlow, type Usual, type UsualTask, usualKey, usualsOf } from './usual';
