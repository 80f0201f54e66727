import type { usual as english } from '../en/usual';
import type { Same } from '../message';

export const usual: Same<typeof english> = {
  'usual.expected': '预计结束',
  'usual.band': '{from} – {to}',
  'usual.by': '{time} 前',
  'usual.late': '超过通常耗时',
  'usual.from': {
    other: '通常 {median}，95% 不超过 {p95}（依据该流程最近完成的 {count} 个任务）',
  },
  'usual.task': '通常 {usual}',
  'usual.all': '执行中任务预计结束：{band}',
  'usual.known': '已知 {known} / {of}',
  'usual.lateOf': { other: '{count} 个超过通常耗时' },
};
