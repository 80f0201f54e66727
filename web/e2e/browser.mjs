// The browser of a run of the tests: one Chromium, in which each test has a context of its own. Whatever happens there that
// must never happen fails the test: an error in the console, a violation of the content security policy, a dialog, a request
// to elsewhere.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { eventually, patience } from './server.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Starts the one browser. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
}

const noticed = `
  window.__seen = [];
  document.addEventListener('securitypolicyviolation', (e) => {
    window.__seen.push('policy: ' + e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sample);
  });
`;

/** A window of somebody who is signed in, or of nobody. */
export class Window {
  #problems = [];
  #allowed = [];

  static async open(browser, server, { token, language = 'en', ...options } = {}) {
    const context = await browser.newContext({
      locale: language,
      timezoneId: 'Europe/Berlin',
      viewport: { width: 1280, height: 800 },
      reducedMotion: 'reduce',
      ...options,
    });
    context.setDefaultTimeout(patience);
    if (token) {
      const { origin } = new URL(server.url);
      const answer = await context.request.post(`${server.url}api/v1/session`, {
        data: { token },
        headers: { Origin: origin },
      });
      assert.equal(answer.status(), 200, 'sign-in by the API');
    }
    await context.addInitScript(noticed);
    const window = new Window();
    window.server = server;
    window.context = context;
    window.page = await context.newPage();
    window.#watch();
    return window;
  }

  #watch() {
    const { page } = this;
    const { origin } = new URL(this.server.url);
    page.on('pageerror', (error) => this.#problems.push(`error: ${error.stack ?? error}`));
    page.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warning') return;
      this.#problems.push(`console: ${message.text()} ${message.location().url}`);
    });
    page.on('dialog', (dialog) => {
      this.#problems.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (url.origin !== origin && !['data:', 'blob:'].includes(url.protocol)) {
        this.#problems.push(`request to elsewhere: ${request.url()}`);
      }
    });
  }

  /** Problems that fit are expected in this test. */
  allow(pattern) {
    this.#allowed.push(pattern);
  }

  /** Goes to an address of the app, given without the slash in front. */
  async go(path) {
    await this.page.goto(this.server.url + path);
  }

  /** What has gone wrong so far. */
  async problems() {
    const seen = await this.page.evaluate(() => window.__seen ?? []).catch(() => []);
    return [...this.#problems, ...seen].filter((p) => !this.#allowed.some((a) => a.test(p)));
  }

  async close() {
    const problems = await this.problems();
    await this.context.close();
    assert.deepEqual(problems, [], 'what the window noticed');
  }

  /** What axe finds wrong with the page; only some rules when they are named. */
  async violations(rules) {
    await this.page.evaluate(axe);
    return this.page.evaluate(async (rules) => {
      const { violations } = await window.axe.run(document, {
        resultTypes: ['violations'],
        ...(rules ? { runOnly: { type: 'rule', values: rules } } : {}),
      });
      return violations.flatMap((v) =>
        v.nodes.map((n) => `${v.id}: ${n.target.join(' ')} ${n.html.slice(0, 200)} ${n.failureSummary ?? ''}`),
      );
    }, rules);
  }

  /** By how many pixels the page is wider than the window. */
  overflow() {
    return this.page.evaluate(() => {
      const root = document.scrollingElement;
      return root.scrollWidth - root.clientWidth;
    });
  }
}

/** Runs a test in a window, which is closed in any case; what the window noticed fails the test too. */
export async function inWindow(browser, server, options, run) {
  const window = await Window.open(browser, server, options);
  try {
    await run(window, window.page);
  } catch (error) {
    const problems = await window.problems();
    if (process.env.FAILURES) {
      await window.page.screenshot({ path: `${process.env.FAILURES}/${Date.now()}.png` }).catch(() => {});
    }
    await window.context.close();
    if (problems.length > 0) error.message += `\nThe window noticed:\n${problems.join('\n')}`;
    throw error;
  }
  await window.close();
}

/** Somebody with a mouse: points at things, and types. */
export class Mouse {
  constructor(page) {
    this.page = page;
  }

  press(target) {
    return target.click();
  }

  async fill(target, text) {
    await target.click();
    await this.page.keyboard.press('ControlOrMeta+a');
    await this.page.keyboard.insertText(text);
  }

  async choose(button, item) {
    await button.click();
    await item.click();
  }

  tab(target) {
    return target.click();
  }

  async select(target, label) {
    await target.selectOption({ label });
  }
}

/** Somebody without a mouse: gets everywhere with the Tab key and arrows. */
export class Keyboard {
  constructor(page) {
    this.page = page;
  }

  /** Tabs until the focus is on the target. */
  async reach(target) {
    await target.waitFor();
    const key = await target.evaluate((el) => {
      const at = document.activeElement;
      if (at === el) return '';
      const before = at && at !== document.body && at.compareDocumentPosition(el) & Node.DOCUMENT_POSITION_PRECEDING;
      return before ? 'Shift+Tab' : 'Tab';
    });
    if (key === '') return;
    for (let i = 0; i < 400; i++) {
      await this.page.keyboard.press(key);
      if (await target.evaluate((el) => el === document.activeElement)) {
        await this.#seen(target);
        return;
      }
    }
    throw new Error(`the keyboard does not get to ${target}`);
  }

  // What has the focus shows it: by an outline, a border or a shadow of its own.
  async #seen(target) {
    const ring = await target.evaluate((el) => {
      const style = getComputedStyle(el);
      return el.matches(':focus-visible') && (style.outlineStyle !== 'none' || style.boxShadow !== 'none');
    });
    assert.ok(ring, `nothing shows that ${target} has the focus`);
  }

  async press(target) {
    await this.reach(target);
    const space = await target.evaluate((el) => el.matches('input[type=checkbox], input[type=radio]'));
    await this.page.keyboard.press(space ? 'Space' : 'Enter');
  }

  async fill(target, text) {
    await this.reach(target);
    await this.page.keyboard.press('ControlOrMeta+a');
    await this.page.keyboard.insertText(text);
  }

  async choose(button, item) {
    await this.reach(button);
    await this.page.keyboard.press('Enter');
    await this.#arrow(item, 'ArrowDown');
    await this.page.keyboard.press('Enter');
  }

  /** Tabs are one stop; arrows move among them. */
  async tab(target) {
    const chosen = target.locator('xpath=..').locator('[aria-selected=true]');
    await this.reach(chosen);
    await this.#arrow(target, 'ArrowRight');
  }

  async select(target, label) {
    await this.reach(target);
    const wanted = await target.evaluate((el, label) => [...el.options].findIndex((o) => o.label === label), label);
    await eventually(`${label} being chosen`, async () => {
      const at = await target.evaluate((el) => el.selectedIndex);
      if (at === wanted) return true;
      await this.page.keyboard.press(at < wanted ? 'ArrowDown' : 'ArrowUp');
      return false;
    });
  }

  async #arrow(target, key) {
    await target.waitFor();
    for (let i = 0; i < 60; i++) {
      if (await target.evaluate((el) => el === document.activeElement)) return;
      await this.page.keyboard.press(key);
    }
    throw new Error(`arrows do not get to ${target}`);
  }
}

/** Looks at a screen in light, dark and, with what `onPhone` says of it, at phone width; then it is as before. */
export async function everyLook(window, page, name, onPhone) {
  await page.mouse.move(0, 0);
  const picture = (kind) =>
    process.env.SCREENSHOTS && page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}-${kind}.png`) });
  assert.deepEqual(await window.violations(), [], 'light');
  await picture('light');
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.deepEqual(await window.violations(['color-contrast', 'link-in-text-block']), [], 'dark');
  await picture('dark');
  await page.setViewportSize({ width: 375, height: 760 });
  assert.equal(await window.overflow(), 0, 'nothing is wider than a phone');
  await onPhone();
  await picture('phone');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1280, height: 800 });
}
