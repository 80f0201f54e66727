import type { Paint, Scene } from './canvas';
import type { Box } from './layout';
import { drawMark, type Measure, marksOf, scaleOf, svgAround, svgOf, type Words } from './picture';

/** A picture as a file. */
export interface Exported {
  blob: Blob;
  /** Pixels for each unit of the graph; of an SVG 1. */
  scale: number;
}

const rim = 24;
// So that the page stays alive while a large graph is written.
const slice = 8;

function measure(font: string): Measure {
  const c = new OffscreenCanvas(1, 1).getContext('2d');
  return (text, size, bold) => {
    if (!c) return text.length * size * 0.6;
    c.font = `${bold ? 600 : 400} ${size}px ${font}`;
    return c.measureText(text).width;
  };
}

async function each<T>(all: Iterable<T>, take: (one: T) => void): Promise<void> {
  let begun = performance.now();
  for (const one of all) {
    take(one);
    if (performance.now() - begun < slice) continue;
    await new Promise((resolve) => setTimeout(resolve));
    begun = performance.now();
  }
}

/** Makes a file of the graph as it is folded and filtered, in the colours of the page. */
export async function exportGraph(
  kind: 'svg' | 'png',
  {
    scene,
    box,
    paint,
    title,
    ...words
  }: { scene: Scene; box: Box; paint: Paint; title: string } & Omit<Words, 'measure'>,
): Promise<Exported> {
  const whole = { x: box.x - rim, y: box.y - rim, w: box.w + 2 * rim, h: box.h + 2 * rim };
  const marks = marksOf(scene, paint, { ...words, measure: measure(paint.font) });
  if (kind === 'svg') {
    const { head, tail } = svgAround(whole, paint, title);
    const parts = [head];
    await each(marks, (mark) => parts.push(svgOf(mark)));
    return { blob: new Blob([...parts, tail], { type: 'image/svg+xml' }), scale: 1 };
  }
  const scale = scaleOf(whole);
  const canvas = new OffscreenCanvas(Math.ceil(whole.w * scale), Math.ceil(whole.h * scale));
  const c = canvas.getContext('2d');
  if (!c) throw new Error('no canvas');
  c.fillStyle = paint.ground;
  c.fillRect(0, 0, canvas.width, canvas.height);
  c.setTransform(scale, 0, 0, scale, -whole.x * scale, -whole.y * scale);
  c.lineJoin = 'round';
  await each(marks, (mark) => drawMark(c, mark, paint.font));
  return { blob: await canvas.convertToBlob({ type: 'image/png' }), scale };
}

/** Hands a file to the person as a download. */
export function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
