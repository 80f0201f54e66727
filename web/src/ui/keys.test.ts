import { expect, test } from 'vitest';
import { Keyboard } from './keys';

function press(keyboard: Keyboard, key: string, target: Element = document.body) {
  const e = new KeyboardEvent('keydown', { key, cancelable: true });
  Object.defineProperty(e, 'target', { value: target });
  keyboard.press(e);
}

test('sequences, single keys, layers and fields', () => {
  const keyboard = new Keyboard();
  const done: string[] = [];
  const bind = (keys: string, inText = false) => ({ keys, label: keys, run: () => done.push(keys), inText });
  keyboard.add({ title: 'a', layer: 0, bindings: [bind('g t'), bind('t'), bind('Escape', true)] });
  for (const key of ['g', 't', 't', 'g', 'x', 't']) press(keyboard, key);
  expect(done.splice(0)).toEqual(['g t', 't', 't']);

  const input = document.createElement('input');
  for (const key of ['t', 'Escape']) press(keyboard, key, input);
  expect(done.splice(0)).toEqual(['Escape']);

  const close = keyboard.open(1);
  keyboard.add({ title: 'b', layer: 1, bindings: [bind('j')] });
  for (const key of ['t', 'j']) press(keyboard, key);
  expect(done.splice(0)).toEqual(['j']);
  close();
  press(keyboard, 't');
  expect(done).toEqual(['t']);
});
