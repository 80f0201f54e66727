// Makes small pictures of those that the tests took of the screens: node e2e/pictures.mjs FROM TO. Each gets a palette of at
// most 256 colours, which is enough for a page.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { deflateSync, inflateSync } from 'node:zlib';

const shown = [
  'sign-in',
  'tasks',
  'tasks-selected',
  'task-graph',
  'task-node',
  'task-retry',
  'task-log',
  'task-timeline',
  'task-nodes',
  'task-events',
  'task-big',
  'board',
  'board-grid',
  'start-form',
  'task-node-dark',
  'tasks-narrow',
  'task-graph-narrow',
  'board-narrow',
];

const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

// The pixels of a PNG as browsers write it: 8 bits a channel, not interlaced.
function decode(png) {
  const parts = [];
  let head;
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    const data = png.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR') head = data;
    if (type === 'IDAT') parts.push(data);
    at += 12 + length;
  }
  const [width, height] = [head.readUInt32BE(0), head.readUInt32BE(4)];
  const channels = { 2: 3, 6: 4 }[head[9]];
  if (!channels || head[8] !== 8 || head[12] !== 0) throw new Error('a picture of another kind');
  const raw = inflateSync(Buffer.concat(parts));
  const stride = width * channels;
  const pixels = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const left = x >= channels ? pixels[y * stride + x - channels] : 0;
      const up = y > 0 ? pixels[(y - 1) * stride + x] : 0;
      const corner = x >= channels && y > 0 ? pixels[(y - 1) * stride + x - channels] : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      pixels[y * stride + x] = raw[y * (stride + 1) + 1 + x] + guess;
    }
  }
  return { width, height, channels, pixels };
}

function paeth(a, b, c) {
  const [p, q, r] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  if (p <= q && p <= r) return a;
  return q <= r ? b : c;
}

// The most frequent colours, of which near ones count as one; every other colour becomes the nearest of them.
function palette({ width, height, channels, pixels }) {
  const counts = new Map();
  const keys = new Uint32Array(width * height);
  for (let i = 0; i < keys.length; i++) {
    const at = i * channels;
    keys[i] = (pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2];
    counts.set(keys[i], (counts.get(keys[i]) ?? 0) + 1);
  }
  const colours = [];
  for (const [key] of [...counts].sort((a, b) => b[1] - a[1])) {
    if (colours.length === 256) break;
    if (colours.length < 32 || colours.every((c) => distance(c, key) > 90)) colours.push(key);
  }
  const index = new Map();
  for (const key of counts.keys()) {
    let best = 0;
    for (let i = 1; i < colours.length; i++) if (distance(colours[i], key) < distance(colours[best], key)) best = i;
    index.set(key, best);
  }
  return { colours, indices: Uint8Array.from(keys, (key) => index.get(key)) };
}

function distance(a, b) {
  const [r, g, b2] = [(a >> 16) - (b >> 16), ((a >> 8) & 255) - ((b >> 8) & 255), (a & 255) - (b & 255)];
  return 2 * r * r + 4 * g * g + 3 * b2 * b2;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(checksum(body), body.length + 4);
  return out;
}

// Older releases of Node have no crc32 of their own.
function checksum(data) {
  if (zlib.crc32) return zlib.crc32(data);
  let crc = ~0;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function small(png) {
  const picture = decode(png);
  const { colours, indices } = palette(picture);
  const { width, height } = picture;
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) rows.set(indices.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const plte = Buffer.from(colours.flatMap((c) => [c >> 16, (c >> 8) & 255, c & 255]));
  const data = deflateSync(rows, { level: 9, memLevel: 9 });
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('PLTE', plte),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const [from, to] = process.argv.slice(2);
let sum = 0;
for (const name of shown) {
  const png = small(readFileSync(join(from, `${name}.png`)));
  sum += png.length;
  writeFileSync(join(to, `${name}.png`), png);
}
console.log(`${shown.length} pictures, ${Math.round(sum / 1024)} KiB`);
if (sum > 1_500_000) {
  console.error('they are too large for the repository');
  process.exitCode = 1;
}
