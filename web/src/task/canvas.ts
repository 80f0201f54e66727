import type { Look } from '../ui';
import { headOf, type Line } from './edges';
import type { Link } from './fold';
import type { Box } from './layout';

/** Below this zoom texts cannot be read: all is drawn on the canvas then. */
export const readable = 0.6;

// Below this zoom a node is some pixels.
const tiny = 0.12;

export interface Viewport {
  x: number;
  y: number;
  zoom: number;
}

/** The colours of the theme, as the browser resolved them. */
export interface Paint {
  ground: string;
  paper: string;
  raised: string;
  ink: string;
  muted: string;
  rule: string;
  edge: string;
  accent: string;
  looks: Record<Look, string>;
  font: string;
}

/** What is drawn of an item. */
export interface Shape {
  key: number;
  box: Box;
  form: 'card' | 'stack' | 'diamond' | 'circle' | 'frame';
  name: string;
}

/** Finds what is drawn at a point, in cells so that not all is looked at. */
export class Places {
  readonly #cells = new Map<string, Shape[]>();
  readonly #size = 400;

  constructor(shapes: readonly Shape[]) {
    for (const shape of shapes) {
      this.#each(shape.box, (cell) => {
        const list = this.#cells.get(cell);
        if (list) list.push(shape);
        else this.#cells.set(cell, [shape]);
      });
    }
  }

  #each(box: Box, take: (cell: string) => void): void {
    const s = this.#size;
    for (let x = Math.floor(box.x / s); x <= Math.floor((box.x + box.w) / s); x++) {
      for (let y = Math.floor(box.y / s); y <= Math.floor((box.y + box.h) / s); y++) take(`${x} ${y}`);
    }
  }

  /** What is at a point, give or take some slack; the innermost where frames are around it. */
  at(x: number, y: number, slack: number, hidden: (key: number) => boolean): Shape | undefined {
    let best: Shape | undefined;
    this.#each({ x: x - slack, y: y - slack, w: 2 * slack, h: 2 * slack }, (cell) => {
      for (const shape of this.#cells.get(cell) ?? []) {
        const { box, key } = shape;
        if (hidden(key)) continue;
        if (x < box.x - slack || x > box.x + box.w + slack || y < box.y - slack || y > box.y + box.h + slack) continue;
        if (!best || box.w * box.h < best.box.w * best.box.h) best = shape;
      }
    });
    return best;
  }

  /** What is in a rectangle, wholly or in part. */
  within(area: Box): Set<Shape> {
    const found = new Set<Shape>();
    this.#each(area, (cell) => {
      for (const shape of this.#cells.get(cell) ?? []) {
        const { box } = shape;
        if (box.x > area.x + area.w || box.y > area.y + area.h) continue;
        if (box.x + box.w < area.x || box.y + box.h < area.y) continue;
        found.add(shape);
      }
    });
    return found;
  }
}

export interface Scene {
  shapes: readonly Shape[];
  lines: readonly Line[];
  look: (key: number) => Look;
  taken: (link: Link) => boolean;
  /** Whether a filter leaves an item out. */
  hidden: (key: number) => boolean;
  cursor: number | undefined;
}

const solid: ReadonlySet<Look> = new Set(['RUNNING', 'FAILED', 'FINISHED', 'SUSPENDED', 'NODE_SUSPENDED', 'REVOKED']);

/** Draws what is in an area of the canvas, while texts cannot be read. */
export function draw(
  c: CanvasRenderingContext2D,
  scene: Scene,
  viewport: Viewport,
  area: Box,
  ratio: number,
  paint: Paint,
): void {
  const { x, y, zoom } = viewport;
  c.setTransform(1, 0, 0, 1, 0, 0);
  c.clearRect(0, 0, c.canvas.width, c.canvas.height);
  c.setTransform(zoom * ratio, 0, 0, zoom * ratio, x * ratio, y * ratio);
  const view = {
    left: (area.x - x) / zoom,
    top: (area.y - y) / zoom,
    right: (area.x + area.w - x) / zoom,
    bottom: (area.y + area.h - y) / zoom,
  };
  const out = (b: Box) => b.x > view.right || b.y > view.bottom || b.x + b.w < view.left || b.y + b.h < view.top;
  const pixel = 1 / zoom;

  // Frames, the outer ones first.
  c.lineWidth = Math.max(1, pixel);
  for (const { key, form, box } of scene.shapes) {
    if (form !== 'frame' || out(box) || scene.hidden(key)) continue;
    c.beginPath();
    c.roundRect(box.x, box.y, box.w, box.h, 10);
    c.fillStyle = paint.ground;
    c.fill();
    c.strokeStyle = paint.edge;
    c.stroke();
  }

  drawLines(c, scene, view, zoom, paint);
  drawShapes(c, scene, out, zoom, paint);

  const cursor = scene.cursor === undefined ? undefined : scene.shapes.find((s) => s.key === scene.cursor);
  if (cursor) {
    const { box } = cursor;
    const away = 3 * pixel;
    c.beginPath();
    c.roundRect(box.x - away, box.y - away, box.w + 2 * away, box.h + 2 * away, 10);
    c.lineWidth = 2.5 * pixel;
    c.strokeStyle = paint.accent;
    c.stroke();
  }
}

interface Edges {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

function drawLines(c: CanvasRenderingContext2D, scene: Scene, view: Edges, zoom: number, paint: Paint): void {
  const plain = { lines: new Path2D(), heads: new Path2D() };
  const taken = { lines: new Path2D(), heads: new Path2D() };
  const pixel = 1 / zoom;
  const straight = zoom <= tiny;
  for (const line of scene.lines) {
    if (line.left > view.right || line.right < view.left || line.top > view.bottom || line.bottom < view.top) continue;
    if (scene.hidden(line.link.from) || scene.hidden(line.link.to)) continue;
    const { lines, heads } = scene.taken(line.link) ? taken : plain;
    const [x1, y1, a, b, d, e, x2, y2] = line.points;
    if (zoom <= tiny && line.right - line.left + line.bottom - line.top < 3 * pixel) continue;
    lines.moveTo(x1, y1);
    if (straight) lines.lineTo(x2, y2);
    else lines.bezierCurveTo(a, b, d, e, x2, y2);
    if (zoom >= 0.3) {
      const [tip, left, right] = headOf(line);
      heads.moveTo(...tip);
      heads.lineTo(...left);
      heads.lineTo(...right);
      heads.closePath();
    }
  }
  const trace = ({ lines, heads }: typeof plain, width: number, colour: string) => {
    c.lineWidth = width;
    c.strokeStyle = colour;
    c.fillStyle = colour;
    c.stroke(lines);
    c.fill(heads);
  };
  c.globalAlpha = 0.75;
  trace(plain, Math.max(1.25, 0.8 * pixel), paint.edge);
  trace(taken, Math.max(2.25, 1.4 * pixel), paint.ink);
  c.globalAlpha = 1;
}

function drawShapes(
  c: CanvasRenderingContext2D,
  scene: Scene,
  out: (b: Box) => boolean,
  zoom: number,
  paint: Paint,
): void {
  const pixel = 1 / zoom;
  // One path for all that look alike: few calls, however many nodes there are.
  const bodies = new Map<Look, { path: Path2D; marks: Path2D; cuts: Path2D }>();
  for (const { key, box, form } of scene.shapes) {
    if (form === 'frame' || out(box) || scene.hidden(key)) continue;
    const look = scene.look(key);
    let body = bodies.get(look);
    if (!body) {
      body = { path: new Path2D(), marks: new Path2D(), cuts: new Path2D() };
      bodies.set(look, body);
    }
    const { path } = body;
    if (form === 'diamond') {
      path.moveTo(box.x + box.w / 2, box.y);
      path.lineTo(box.x + box.w, box.y + box.h / 2);
      path.lineTo(box.x + box.w / 2, box.y + box.h);
      path.lineTo(box.x, box.y + box.h / 2);
      path.closePath();
    } else if (form === 'circle') {
      path.moveTo(box.x + box.w, box.y + box.h / 2);
      path.arc(box.x + box.w / 2, box.y + box.h / 2, box.w / 2, 0, 2 * Math.PI);
    } else {
      if (form === 'stack') path.rect(box.x + 6, box.y + 6, box.w, box.h);
      path.rect(box.x, box.y, box.w, box.h);
    }
    // The sign of the state, so that it is not told by colour alone.
    if (form !== 'circle' && zoom > tiny) addSign(body.marks, body.cuts, look, box);
  }
  for (const [look, { path, marks, cuts }] of bodies) {
    const color = paint.looks[look];
    c.fillStyle = solid.has(look) ? color : paint.paper;
    c.strokeStyle = solid.has(look) ? color : paint.edge;
    c.lineWidth = Math.max(1.5, pixel);
    if (!solid.has(look)) c.setLineDash(look === 'NONE' && zoom > 0.25 ? [5, 4] : []);
    if (zoom <= tiny) {
      // A few pixels: a border would cost more than it shows.
      c.fillStyle = solid.has(look) ? color : paint.edge;
      c.fill(path);
      continue;
    }
    c.fill(path);
    c.stroke(path);
    c.setLineDash([]);
    c.strokeStyle = solid.has(look) ? paint.paper : color;
    c.fillStyle = c.strokeStyle;
    c.lineWidth = 5;
    c.lineCap = 'round';
    c.lineJoin = 'round';
    c.fill(marks);
    c.stroke(cuts);
    c.lineCap = 'butt';
  }
  c.globalAlpha = 1;
}

function addSign(marks: Path2D, cuts: Path2D, look: Look, box: Box): void {
  const x = box.x + box.w / 2;
  const y = box.y + box.h / 2;
  const r = Math.min(box.w, box.h) * 0.24;
  switch (look) {
    case 'FAILED':
      cuts.moveTo(x - r, y - r);
      cuts.lineTo(x + r, y + r);
      cuts.moveTo(x + r, y - r);
      cuts.lineTo(x - r, y + r);
      break;
    case 'FINISHED':
      cuts.moveTo(x - r, y);
      cuts.lineTo(x - r / 4, y + r * 0.7);
      cuts.lineTo(x + r, y - r * 0.7);
      break;
    case 'RUNNING':
    case 'READY':
      marks.moveTo(x - r * 0.7, y - r);
      marks.lineTo(x + r, y);
      marks.lineTo(x - r * 0.7, y + r);
      marks.closePath();
      break;
    case 'SUSPENDED':
    case 'NODE_SUSPENDED':
      cuts.moveTo(x - r / 2, y - r);
      cuts.lineTo(x - r / 2, y + r);
      cuts.moveTo(x + r / 2, y - r);
      cuts.lineTo(x + r / 2, y + r);
      break;
    case 'SKIPPED':
      cuts.moveTo(x - r, y - r);
      cuts.lineTo(x, y);
      cuts.lineTo(x - r, y + r);
      cuts.moveTo(x, y - r);
      cuts.lineTo(x + r, y);
      cuts.lineTo(x, y + r);
      break;
    case 'REVOKED':
      cuts.moveTo(x - r, y + r);
      cuts.lineTo(x + r, y - r);
      break;
  }
}
