import { expect, test } from 'vitest';
import { ApiError, type FlowDetail, type Json } from '../api';
import { type FormField, faultsOf, fieldsOf, nameFor, valuesOf } from './form';

function flow(constants: { key: string; kind?: string; value: Json; shown?: boolean; tree?: { [k: string]: Json } }[]) {
  return {
    constants: constants.map(({ key, kind, value, shown = true }) => ({ key, kind, value, shown })),
    tree: { constants: Object.fromEntries(constants.map((c) => [c.key, c.tree ?? {}])) },
  } as unknown as FlowDetail;
}
const only = (kind: string, value: Json, tree?: { [k: string]: Json }) =>
  fieldsOf(flow([{ key: '${k}', kind, value, tree }]))[0] as FormField;

test.each<[string, Json, string, string]>([
  ['input', 'v1', 'text', 'v1'],
  ['input', 'two\nlines', 'area', 'two\nlines'],
  ['input', 5, 'int', '5'],
  ['input', { a: 1 }, 'json', '{\n  "a": 1\n}'],
  ['input', null, 'text', ''],
  ['textarea', '', 'area', ''],
  ['int', '7', 'int', '7'],
  ['int', '${n}', 'text', '${n}'],
  ['date', '2026-03-02', 'date', '2026-03-02'],
  ['datetime', 'tomorrow', 'text', 'tomorrow'],
  ['password', { type: 'password_value', value: 'x' }, 'password', ''],
  ['unknown', 'x', 'text', 'x'],
])('a constant of kind %s with %j is filled in as %s', (kind, value, control, initial) => {
  expect(only(kind, value)).toMatchObject({ control, initial });
});

test('choices come from the form of the constant', () => {
  const form = {
    items_text: '[{"text":"One","value":"1"},{"text":"Two","value":"2"}]',
    type: '1',
    default: ['1', '2'],
  };
  const field = only('select', form, { is_meta: true });
  expect(field).toMatchObject({ control: 'choices', initial: '1,2' });
  expect(field.options).toEqual([
    { text: 'One', value: '1' },
    { text: 'Two', value: '2' },
  ]);
  expect(only('select', { ...form, type: '0', default: '2' }, { is_meta: true })).toMatchObject({
    control: 'choice',
    initial: '2',
  });
  expect(only('select', { items_text: 'broken' }, { is_meta: true }).control).toBe('json');
});

test('fields stand in the order of the flow', () => {
  const fields = fieldsOf(
    flow([
      { key: '${b}', value: '', tree: { index: 2 } },
      { key: '${c}', value: '' },
      { key: '${a}', value: '', tree: { index: 0 } },
    ]),
  );
  expect(fields.map((f) => f.key)).toEqual(['${a}', '${b}', '${c}']);
});

test('only what was changed is sent, as its kind says', () => {
  const fields = fieldsOf(
    flow([
      { key: '${same}', value: 'x' },
      { key: '${text}', value: 'x' },
      { key: '${int}', kind: 'int', value: 1 },
      { key: '${json}', value: [1] },
    ]),
  );
  const filled = new Map([
    ['${same}', 'x'],
    ['${text}', ''],
    ['${int}', '42'],
    ['${json}', '[1, 2]'],
  ]);
  expect(valuesOf(fields, filled)).toEqual({
    constants: { '${text}': '', '${int}': 42, '${json}': [1, 2] },
    faults: new Map(),
  });
});

test('what cannot be sent is named by field', () => {
  const fields = fieldsOf(
    flow([
      { key: '${int}', kind: 'int', value: 1 },
      { key: '${json}', value: {} },
      { key: '${p}', value: '', tree: { validation: '^v\\d+$' } },
      { key: '${q}', value: '', tree: { validation: '(?P<x>' } },
    ]),
  );
  const filled = new Map([
    ['${int}', 'many'],
    ['${json}', '{'],
    ['${p}', '1'],
    ['${q}', 'any'],
  ]);
  const { constants, faults } = valuesOf(fields, filled);
  expect([...faults]).toEqual([
    ['${int}', 'int'],
    ['${json}', 'json'],
    ['${p}', 'pattern'],
  ]);
  expect(constants).toEqual({ '${q}': 'any' });
});

test('refusals of the server are told at the field that they are about', () => {
  const fields = fieldsOf(flow([{ key: '${version}', value: '' }]));
  const refusal = (message: string, location?: string) =>
    new ApiError({ status: 422, code: 'invalid', message: 'no', faults: [{ location, message }] });
  expect([...faultsOf(refusal('too long', 'body.constants.version'), fields)]).toEqual([['${version}', 'too long']]);
  expect([...faultsOf(refusal('expected length >= 1', 'body.name'), fields)]).toEqual([
    ['name', 'expected length >= 1'],
  ]);
  expect(faultsOf(refusal('the flow has no start'), fields).size).toBe(0);
  const plain = new ApiError({ status: 422, code: 'invalid', message: 'constants.${version}: too many bytes' });
  expect([...faultsOf(plain, fields).keys()]).toEqual(['${version}']);
});

test('a task is named after its flow and the minute', () => {
  expect(nameFor('发布', new Date(2026, 2, 2, 9, 5))).toBe('发布 20260302 09:05');
  expect([...nameFor('x'.repeat(200), new Date())].length).toBeLessThanOrEqual(128);
});
