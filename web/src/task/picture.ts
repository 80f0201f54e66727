import type { Look } from '../ui';
import type { Paint, Scene, Shape } from './canvas';
import { headOf, type Line, labelPlace } from './edges';
import type { Box } from './layout';

/** A part of a picture: an outline, or a line of text. */
export type Mark =
  | { d: string; x: number; y: number; fill?: string; stroke?: string; width?: number; dash?: string }
  | { text: string; x: number; y: number; size: number; bold?: boolean; middle?: boolean; fill: string };

/** How wide a text is. */
export type Measure = (text: string, size: number, bold: boolean) => number;

/** What a picture needs to know of the words on it. */
export interface Words {
  name: (key: number) => string;
  state: (look: Look) => string;
  measure: Measure;
}

// The signs of the states on a field of 16 by 16, so that none is told by colour alone.
const filled = 'M5.2 1h5.6L15 5.2v5.6L10.8 15H5.2L1 10.8V5.2z';
const round = 'M1 8a7 7 0 1 0 14 0a7 7 0 1 0-14 0z';
const ring = 'M2 8a6 6 0 1 0 12 0a6 6 0 1 0-12 0z';
const signs: Record<Look, { body?: string; line?: string; cut?: string }> = {
  CREATED: { line: ring },
  READY: { line: 'M4.5 3v10L13 8z' },
  RUNNING: { body: 'M4.5 3v10L13 8z' },
  SUSPENDED: { body: 'M1.5 1.5h13v13h-13z', cut: 'M6 5v6M10 5v6' },
  NODE_SUSPENDED: { line: 'M2 2h12v12h-12zM6.2 5.5v5M9.8 5.5v5' },
  FAILED: { body: filled, cut: 'M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8' },
  FINISHED: { body: round, cut: 'M4.9 8.3l2.2 2.2 4.1-4.6' },
  REVOKED: { line: `${ring}M4 12l8-8` },
  EXPIRED: { line: `${ring}M8 4.5V8l2.5 1.5` },
  SKIPPED: { line: `${ring}M5 5.5L7.5 8 5 10.5M8.5 5.5L11 8l-2.5 2.5` },
  NONE: { line: ring },
};

/** Breaks a text into at most so many lines of a width; what is left out is told by an ellipsis. */
export function linesOf(text: string, width: number, most: number, wide: (text: string) => number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest !== '' && lines.length < most) {
    const letters = Array.from(rest);
    let [low, high] = [1, letters.length];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (wide(letters.slice(0, middle).join('')) <= width) low = middle;
      else high = middle - 1;
    }
    let line = letters.slice(0, low).join('');
    if (low < letters.length) {
      const space = line.lastIndexOf(' ');
      if (lines.length + 1 === most) line = `${letters.slice(0, Math.max(1, low - 1)).join('')}…`;
      else if (space > line.length / 2) line = line.slice(0, space);
    }
    lines.push(line.trim());
    rest = lines.length === most ? '' : rest.slice(line.length).trimStart();
  }
  return lines;
}

function rect(box: Box, r: number): string {
  const [w, h] = [box.w - 2 * r, box.h - 2 * r];
  return `M${r} 0h${w}q${r} 0 ${r} ${r}v${h}q0 ${r} ${-r} ${r}h${-w}q${-r} 0 ${-r} ${-r}v${-h}q0 ${-r} ${r} ${-r}z`;
}

function* sign(look: Look, x: number, y: number, paint: Paint): Generator<Mark> {
  const { body, line, cut } = signs[look];
  const color = look === 'NONE' ? paint.muted : paint.looks[look];
  if (body) yield { d: body, x, y, fill: color };
  if (line) yield { d: line, x, y, stroke: color, width: 1.6, ...(look === 'NONE' && { dash: '2 2' }) };
  if (cut) yield { d: cut, x, y, stroke: paint.paper, width: 1.8 };
}

function linePath({ points: [x1, y1, a, b, d, e, x2, y2] }: Line): string {
  return `M${x1} ${y1}C${a} ${b} ${d} ${e} ${x2} ${y2}`;
}

function headPath(line: Line): string {
  return `M${headOf(line).join('L')}z`;
}

/** The parts of a picture of the whole graph, what is behind first. */
export function* marksOf(scene: Scene, paint: Paint, words: Words): Generator<Mark> {
  const { shapes, lines } = scene;
  for (const { key, form, box } of shapes) {
    if (form !== 'frame' || scene.hidden(key)) continue;
    yield { d: rect(box, 10), x: box.x, y: box.y, fill: paint.ground, stroke: paint.edge, width: 1.25 };
    yield* sign(scene.look(key), box.x + 12, box.y + 12, paint);
    const [name] = linesOf(words.name(key), box.w - 48, 1, (s) => words.measure(s, 13, true));
    yield { text: name ?? '', x: box.x + 34, y: box.y + 25, size: 13, bold: true, fill: paint.ink };
  }
  for (const line of lines) {
    if (scene.hidden(line.link.from) || scene.hidden(line.link.to)) continue;
    const taken = scene.taken(line.link);
    const color = taken ? paint.ink : paint.edge;
    yield { d: linePath(line), x: 0, y: 0, stroke: color, width: taken ? 2.25 : 1.25 };
    yield { d: headPath(line), x: 0, y: 0, fill: color };
  }
  for (const line of lines) {
    if (!line.label || scene.hidden(line.link.from) || scene.hidden(line.link.to)) continue;
    const { x, y } = labelPlace(line);
    const w = words.measure(line.label, 11, false) + 10;
    yield { d: rect({ x, y, w, h: 18 }, 5), x: x - w / 2, y: y - 9, fill: paint.paper, stroke: paint.rule, width: 1 };
    yield { text: line.label, x, y: y + 4, size: 11, middle: true, fill: paint.muted };
  }
  for (const shape of shapes) {
    if (shape.form !== 'frame' && !scene.hidden(shape.key)) yield* card(shape, scene.look(shape.key), paint, words);
  }
}

function* card({ key, form, box }: Shape, look: Look, paint: Paint, words: Words): Generator<Mark> {
  const { x, y, w, h } = box;
  const stroke = look === 'NONE' ? paint.edge : paint.looks[look];
  const border = { fill: paint.paper, stroke, width: 1.5, ...(look === 'NONE' && { dash: '4 3' }) };
  if (form === 'diamond' || form === 'circle') {
    const [a, b] = [w / 2, h / 2];
    const d =
      form === 'diamond'
        ? `M${a} 0L${w} ${b}L${a} ${h}L0 ${b}z`
        : `M0 ${b}a${a} ${b} 0 1 0 ${w} 0a${a} ${b} 0 1 0 ${-w} 0z`;
    yield { d, x, y, ...border };
    yield* sign(look, x + a - 8, y + b - 8, paint);
    return;
  }
  if (form === 'stack') yield { d: rect(box, 7), x: x + 5, y: y + 5, fill: paint.raised, stroke: paint.edge, width: 1 };
  yield { d: rect(box, 7), x, y, ...border };
  yield* sign(look, x + 10, y + 9, paint);
  const lines = linesOf(words.name(key), w - 44, 2, (s) => words.measure(s, 12, true));
  for (const [i, text] of lines.entries()) {
    yield { text, x: x + 33, y: y + 20 + 15 * i, size: 12, bold: true, fill: paint.ink };
  }
  yield {
    text: words.state(look),
    x: x + 33,
    y: y + h - 9,
    size: 11,
    fill: stroke === paint.edge ? paint.muted : stroke,
  };
}

// What XML 1.0 does not know at all, half surrogate pairs too.
const notXML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;
const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** A text for the inside of XML: elements and attributes. */
export function xmlText(text: string): string {
  return text.replace(notXML, '\ufffd').replace(/[&<>"']/g, (c) => entities[c] as string);
}

const short = (n: number) => String(Math.round(n * 100) / 100);

/** A part of a picture as SVG. */
export function svgOf(mark: Mark): string {
  if ('text' in mark) {
    const more = `${mark.bold ? ' font-weight="600"' : ''}${mark.middle ? ' text-anchor="middle"' : ''}`;
    const at = `x="${short(mark.x)}" y="${short(mark.y)}" font-size="${mark.size}"`;
    return `<text ${at}${more} fill="${xmlText(mark.fill)}">${xmlText(mark.text)}</text>\n`;
  }
  const place = mark.x === 0 && mark.y === 0 ? '' : ` transform="translate(${short(mark.x)} ${short(mark.y)})"`;
  const line = mark.stroke ? ` stroke="${xmlText(mark.stroke)}" stroke-width="${mark.width ?? 1}"` : '';
  const dash = mark.dash ? ` stroke-dasharray="${mark.dash}"` : '';
  return `<path d="${mark.d}"${place} fill="${xmlText(mark.fill ?? 'none')}"${line}${dash}/>\n`;
}

/** The beginning and the end of an SVG. */
export function svgAround(box: Box, paint: Paint, title: string): { head: string; tail: string } {
  const view = `${short(box.x)} ${short(box.y)} ${short(box.w)} ${short(box.h)}`;
  const place = `x="${short(box.x)}" y="${short(box.y)}" width="${short(box.w)}" height="${short(box.h)}"`;
  return {
    head:
      `<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" role="img" ` +
      `width="${short(box.w)}" height="${short(box.h)}" viewBox="${view}" font-family="${xmlText(paint.font)}" ` +
      `stroke-linejoin="round">\n<title>${xmlText(title)}</title>\n<rect ${place} fill="${xmlText(paint.ground)}"/>\n`,
    tail: '</svg>\n',
  };
}

/** Draws a part of a picture. */
export function drawMark(c: OffscreenCanvasRenderingContext2D, mark: Mark, font: string): void {
  if ('text' in mark) {
    c.font = `${mark.bold ? 600 : 400} ${mark.size}px ${font}`;
    c.textAlign = mark.middle ? 'center' : 'left';
    c.fillStyle = mark.fill;
    c.fillText(mark.text, mark.x, mark.y);
    return;
  }
  c.save();
  c.translate(mark.x, mark.y);
  const path = new Path2D(mark.d);
  if (mark.fill) {
    c.fillStyle = mark.fill;
    c.fill(path);
  }
  if (mark.stroke) {
    c.strokeStyle = mark.stroke;
    c.lineWidth = mark.width ?? 1;
    c.setLineDash(mark.dash?.split(' ').map(Number) ?? []);
    c.stroke(path);
  }
  c.restore();
}

const mostSide = 16_000;
const mostPixels = 40_000_000;

/** How large a picture of pixels is for each unit of the graph: twice, unless browsers could not make it. */
export function scaleOf({ w, h }: Pick<Box, 'w' | 'h'>): number {
  return Math.min(2, mostSide / w, mostSide / h, Math.sqrt(mostPixels / (w * h)));
}
