import { expect, test } from 'vitest';
import { askedIds, boardPath, mostIds, packIds, parseIds, unpackIds } from './ids';

const brief = (text: string) => {
  const { ids, duplicates, junk } = parseIds(text);
  return { ids, duplicates, junk };
};

test('ids may be separated by anything', () => {
  expect(brief('7, 8;9\n10\t#11 | 12、13 (14)')).toEqual({
    ids: [7, 8, 9, 10, 11, 12, 13, 14],
    duplicates: 0,
    junk: [],
  });
  expect(brief('tasks 5, 6.')).toEqual({ ids: [5, 6], duplicates: 0, junk: [] });
  expect(brief('12-15').ids).toEqual([12, 15]);
  expect(brief('ids: 3, task=4').ids).toEqual([3, 4]);
});

test('what comes again and what is none is told', () => {
  expect(brief('5 5 abc 12.5 5 0 n12')).toEqual({ ids: [5], duplicates: 2, junk: ['abc', '12.5', '0', 'n12'] });
  const much = parseIds('x '.repeat(50));
  expect([much.junk.length, much.junkCount]).toEqual([12, 50]);
  expect(parseIds('a'.repeat(10_000)).junk[0]).toHaveLength(40);
  expect(brief('99999999999999999999').ids).toEqual([]);
});

test('addresses name one task each, or the list of a board', () => {
  expect(
    brief('see https://ops.example.com:8443/taskflow/execute/2/?instance_id=41&x=9, and /x/api/v1/projects/2/tasks/42'),
  ).toEqual({ ids: [41, 42], duplicates: 0, junk: ['see', 'and'] });
  expect(brief('https://h/board/2/?ids=1,4~6&view=grid').ids).toEqual([1, 4, 5, 6]);
  expect(brief('https://h/board/2/?ids=1%2C4').ids).toEqual([1, 4]);
  expect(brief('http://h/other/33')).toEqual({ ids: [], duplicates: 0, junk: ['http://h/other/33'] });
});

test('answers in JSON are read', () => {
  const status = {
    result: true,
    data: [
      { id: 101, name: 'n', state: 'RUNNING', elapsed_time: 77, children: { n1: { id: 5 } }, flow: 9 },
      { id: '102', project: { id: 2 } },
    ],
  };
  expect(brief(JSON.stringify(status)).ids).toEqual([101, 102]);
  expect(
    brief(JSON.stringify({ result: true, data: { task_id: 8, task_url: 'http://x/?instance_id=8' } })).ids,
  ).toEqual([8]);
  expect(brief('{"task_id_list":[1,"2","x"]}')).toEqual({ ids: [1, 2], duplicates: 0, junk: ['"x"'] });
  expect(brief('{"id":1,"children":[9]}\n{"id":2}\n3').ids).toEqual([1, 2, 3]);
  expect(brief('[{"instance_id":5},{"id":6,"task_id":7}]').ids).toEqual([5, 7]);
  expect(brief('{"project":{"id":2},"tasks":[{"id":3}],"now":"x"}').ids).toEqual([3]);
  expect(brief('[4,5,"6"]').ids).toEqual([4, 5, 6]);
});

test('no more than the server tells of at once', () => {
  const all = parseIds(Array.from({ length: mostIds + 7 }, (_, i) => i + 1).join());
  expect([all.ids.length, all.over]).toEqual([mostIds, 7]);
  expect(unpackIds('1~99999999')).toHaveLength(mostIds);
});

test('what is packed is unpacked in its order', () => {
  for (const ids of [[1], [1, 2], [1, 2, 3, 9, 8, 7, 100, 101, 102, 103], [5, 4, 6]]) {
    expect(unpackIds(packIds(ids))).toEqual(ids);
  }
  expect(packIds([1, 2, 3, 9])).toBe('1~3,9');
  expect(unpackIds('a,1,-2,3~x,,0')).toEqual([1]);
});

test('a list that is too long for an address is kept in this browser', () => {
  const many = Array.from({ length: mostIds }, (_, i) => 1_000_000 + i * 7);
  const path = boardPath(2, many);
  expect(path).toMatch(/^\/board\/2\/\?set=\w+$/);
  const search = new URLSearchParams(path.split('?')[1]);
  expect(askedIds(search)).toEqual({ ids: many, local: true, lost: false });
  sessionStorage.clear();
  expect(askedIds(search)).toEqual({ ids: [], local: false, lost: true });
  const few = boardPath(2, [4, 5, 6]);
  expect(few).toBe('/board/2/?ids=4~6');
  expect(askedIds(new URLSearchParams(few.split('?')[1]))).toEqual({ ids: [4, 5, 6], local: false, lost: false });
});
