// What all tests of a run share: one server with what is seeded there, and one browser.
import { cpus } from 'node:os';
import { inWindow, Keyboard, launch, Mouse } from './browser.mjs';
import { people, shop } from './seed.mjs';
import { Server } from './server.mjs';

/** Tests that run at the same time. */
export const atOnce = Math.max(2, Math.min(4, cpus().length));

export const world = {};

export async function setUp() {
  try {
    world.server = await new Server().start();
    world.who = people(world.server);
    world.api = world.server.api(world.who.ann);
    const seeded = shop(world.server, world.api, world.who.shop);
    seeded.catch(() => {}); // reported below
    world.browser = await launch();
    world.shop = await seeded;
  } catch (error) {
    await tearDown();
    throw error;
  }
}

export async function tearDown() {
  await world.browser?.close();
  await world.server?.end();
}

/** Runs `run` in a window of somebody; `who` is a name of world.who, or undefined for nobody. */
export function as(who, options, run) {
  const token = who && world.who[who];
  return inWindow(world.browser, options.server ?? world.server, { token, ...options }, run);
}

const hands = { mouse: Mouse, keyboard: Keyboard };
export const ways = Object.keys(hands);

/** Whoever works with a page, in one of the ways. */
export function hand(way, page) {
  return new hands[way](page);
}

let last = 0;

/** A word that no other test uses. */
export function unique(prefix) {
  return `${prefix}${++last}x`;
}
