import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepFocus } from './focus';

let end: () => void;
beforeEach(() => {
  end = keepFocus(document.body);
});
afterEach(() => {
  end();
  document.body.replaceChildren();
});

const page = (html: string) => {
  document.body.innerHTML = `<main tabindex="-1">${html}</main>`;
};
const at = (selector: string) => document.querySelector<HTMLElement>(selector) as HTMLElement;
const settled = () => new Promise((done) => setTimeout(done, 5));
const focused = () => document.activeElement?.id || document.activeElement?.tagName;

test('what stands in the place of a button gets the focus', async () => {
  page('<p><span>Live</span><button id="pause"></button><button id="revoke"></button></p>');
  at('#pause').focus();
  at('#pause').remove();
  at('#revoke').insertAdjacentHTML('beforebegin', '<button id="resume"></button>');
  await settled();
  expect(focused()).toBe('resume');
});

test('else what follows and is no field, what is before it, or the page', async () => {
  page(
    '<p><button id="a"></button></p><section><button id="b"></button><select></select><button id="c"></button></section>',
  );
  for (const [gone, heir] of [
    ['#b', 'c'],
    ['section', 'a'],
    ['#a', 'MAIN'],
  ] as const) {
    (at(`${gone} button`) ?? at(gone)).focus();
    at(gone).remove();
    await settled();
    expect(focused()).toBe(heir);
  }
});

test('a list that holds only what is in view keeps the focus itself, also where much else changes', async () => {
  for (const how of ['tabindex="0"', '']) {
    page(`<div id="list" data-virtual ${how}><div><a href="#" id="one"></a></div><a href="#" id="two"></a></div>`);
    at('#one').focus();
    at('#list > div').remove();
    await settled();
    expect(focused()).toBe('list');
  }
});

test('who closes a dialog goes on where its button was, though that was gone before', async () => {
  page(
    '<p><button id="pause"></button></p><p><button id="other"></button></p><dialog open><button id="c"></button></dialog>',
  );
  at('#pause').focus();
  at('#c').focus();
  at('#pause').insertAdjacentHTML('afterend', '<button id="resume"></button>');
  at('#pause').remove();
  await settled();
  expect(focused()).toBe('c');
  at('dialog').remove();
  await settled();
  expect(focused()).toBe('resume');
});

test('whoever goes elsewhere, or leaves the focus nowhere, is left alone', async () => {
  page('<button id="a"></button><button id="b"></button><dialog open><button id="c"></button></dialog>');
  at('#c').focus();
  at('dialog').remove();
  at('#b').focus(); // as a dialog gives it back
  await settled();
  expect(focused()).toBe('b');
  at('#b').blur();
  await settled();
  at('#b').remove();
  await settled();
  expect(focused()).toBe('BODY');
});
