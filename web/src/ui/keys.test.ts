import { expect, test } from 'vitest';
import { Keyboard } from './keys';

function press(keyboard: Keyboard, key: string, target: Element = document.body) {
  const e = new KeyboardEvent('keydown', { key, cancelable: true });
  Object.defineProperty(e, 'target', { value: target });
  keyboard.press(e);
}

test('keys that are held together with Ctrl or Cmd count while text is typed when they say so, and above what is below', () => {
  const keyboard = new Keyboard();
  const done: string[] = [];
  const bind = (keys: string, inText = false) => ({ keys, label: keys, run: () => done.push(keys), inText });
  keyboard.add({ title: 'a', layer: 0, bindings: [bind('k'), bind('Mod+k', true), bind('Mod+j')] });
  const held = (key: string, more: KeyboardEventInit, target: Element = document.body) => {
    const e = new KeyboardEvent('keydown', { key, cancelable: true, ...more });
    Object.defineProperty(e, 'target', { value: target });
    keyboard.press(e);
    return e.defaultPrevented;
  };
  const input = document.createElement('input');
  expect(held('k', { ctrlKey: true })).toBe(true);
  expect(held('K', { metaKey: true }, input)).toBe(true);
  for (const more of [
    { ctrlKey: true, shiftKey: true },
    { ctrlKey: true, metaKey: true },
    { ctrlKey: true, altKey: true },
  ]) {
    expect(held('k', more)).toBe(false);
  }
  expect(held('j', { ctrlKey: true }, input)).toBe(false);
  expect(done).toEqual(['Mod+k', 'Mod+k']);
  keyboard.open(1);
  expect(held('k', { ctrlKey: true })).toBe(false);
});

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

test('a key that is for the last counts where no other has it, and in a box only where nothing stands in it', () => {
  const keyboard = new Keyboard();
  const done: string[] = [];
  const bind = (name: string, last: boolean) => ({
    ...{ keys: 'Escape', label: name, run: () => done.push(name), last },
    inText: 'empty' as const,
  });
  const close = keyboard.add({ title: 'a', layer: 0, bindings: [bind('close', false)] });
  keyboard.add({ title: 'b', layer: 0, bindings: [bind('back', true)] });
  press(keyboard, 'Escape');
  close();
  press(keyboard, 'Escape');
  expect(done.splice(0)).toEqual(['close', 'back']);

  const input = document.createElement('input');
  input.value = 'a word';
  for (const target of [input, document.createElement('select')]) {
    const e = new KeyboardEvent('keydown', { key: 'Escape', cancelable: true });
    Object.defineProperty(e, 'target', { value: target });
    keyboard.press(e);
    expect(e.defaultPrevented).toBe(false); // the browser clears what is searched for
  }
  expect(done).toEqual([]);
  input.value = '';
  press(keyboard, 'Escape', input);
  expect(done).toEqual(['back']);
});
