import { createContext, type ReactNode, useContext, useEffect, useLayoutEffect, useRef } from 'react';

/**
 * A key of a screen: `keys` as they are named (`?`, `/`, `j`, `Enter`, `Escape`), a sequence such as `g t`, or `Mod+k` for one
 * that is held together with Ctrl, or Cmd.
 */
export interface Binding {
  keys: string;
  label: string;
  run: (e: KeyboardEvent) => void;
  /** Whether it counts while text is typed, or only in a box in which nothing stands. */
  inText?: boolean | 'empty';
  /** Whether it counts only where no other one has these keys. */
  last?: boolean;
}

export interface Group {
  title: string;
  bindings: readonly Binding[];
  layer: number;
}

const pause = 1500;

/** Knows the keys of all screens that are shown, and what each does. */
export class Keyboard {
  #groups = new Set<Group>();
  #layers: number[] = [];
  #pending = '';
  #last = 0;

  add(group: Group): () => void {
    this.#groups.add(group);
    return () => this.#groups.delete(group);
  }

  /** While a modal layer is open, only keys of it count. */
  open(layer: number): () => void {
    this.#layers.push(layer);
    return () => {
      this.#layers.splice(this.#layers.indexOf(layer), 1);
    };
  }

  /** The groups whose keys count now, those of the newest screen last. */
  groups(): Group[] {
    const least = Math.max(0, ...this.#layers);
    return [...this.#groups].filter((g) => g.layer >= least && g.bindings.length > 0);
  }

  /** All groups that are there, for the help. */
  all(): Group[] {
    return [...this.#groups].filter((g) => g.bindings.length > 0);
  }

  // A key that is held together with Ctrl or Cmd; both at once mean something else.
  #held(e: KeyboardEvent): void {
    this.#pending = '';
    if (e.shiftKey || e.ctrlKey === e.metaKey) return;
    const keys = `Mod+${e.key.toLowerCase()}`;
    const hit = this.groups()
      .flatMap((g) => g.bindings)
      .findLast((b) => b.keys === keys && counts(b, e.target));
    if (!hit) return;
    e.preventDefault();
    hit.run(e);
  }

  press(e: KeyboardEvent): void {
    if (e.defaultPrevented || e.altKey || e.isComposing) return;
    if (e.ctrlKey || e.metaKey) {
      this.#held(e);
      return;
    }
    const taken = takesKey(e.target, e.key);
    if (e.timeStamp - this.#last > pause) this.#pending = '';
    this.#last = e.timeStamp;
    const sequence = this.#pending ? `${this.#pending} ${e.key}` : e.key;
    this.#pending = '';
    const bindings = this.groups().flatMap((g) => g.bindings.map((b) => b));
    const usable = bindings
      .filter((b) => counts(b, e.target) && !taken)
      .toSorted((a, b) => Number(b.last ?? false) - Number(a.last ?? false));
    const hit = usable.findLast((b) => b.keys === sequence) ?? usable.findLast((b) => b.keys === e.key);
    if (hit) {
      e.preventDefault();
      hit.run(e);
      return;
    }
    if (usable.some((b) => b.keys.startsWith(`${sequence} `))) this.#pending = sequence;
  }
}

function counts(binding: Binding, target: EventTarget | null): boolean {
  if (binding.inText === true || !typesText(target)) return true;
  if (binding.inText !== 'empty') return false;
  return (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) && target.value === '';
}

function typesText(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable) return true;
  if (target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'submit'].includes(target.type);
}

// Enter and space belong to the button or link that has the focus.
function takesKey(target: EventTarget | null, key: string): boolean {
  if (key !== 'Enter' && key !== ' ') return false;
  return (
    target instanceof Element && target.closest('a[href], button, input, summary, [role=menuitem], [role=tab]') !== null
  );
}

type Shape = [keys: string, label: string, inText: Binding['inText'], last: Binding['last']];

const Layer = createContext(0);
const keyboard = new Keyboard();

/** The keyboard of the app. */
export function useKeyboard(): Keyboard {
  return keyboard;
}

/** Listens for keys; once, around the app. */
export function KeyboardListener() {
  useEffect(() => {
    const press = (e: KeyboardEvent) => keyboard.press(e);
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
  return null;
}

/**
 * Gives a screen its keys while it is shown; `title` names it in the help. The functions may be new ones in each render.
 */
export function useKeys(title: string, bindings: readonly Binding[]): void {
  const layer = useContext(Layer);
  const current = useRef(bindings);
  // With what is shown: who moves the focus there at once may be answered by a key before the page is painted.
  useLayoutEffect(() => {
    current.current = bindings;
  });
  const shape = JSON.stringify(bindings.map((b) => [b.keys, b.label, b.inText, b.last]));
  useLayoutEffect(() => {
    const shown = (JSON.parse(shape) as Shape[]).map(([keys, label, inText, last], i) => ({
      ...{ keys, label, inText, last },
      run: (e: KeyboardEvent) => current.current[i]?.run(e),
    }));
    return keyboard.add({ title, bindings: shown, layer });
  }, [title, shape, layer]);
}

/** Makes what is in it a layer of its own: while it is there, keys below do not count. */
export function KeyLayer({ children }: { children: ReactNode }) {
  const layer = useContext(Layer) + 1;
  useLayoutEffect(() => keyboard.open(layer), [layer]);
  return <Layer value={layer}>{children}</Layer>;
}

/** Writes the keys of a binding. */
export function Keys({ keys, then }: { keys: string; then: string }) {
  return (
    <span className="keys">
      {keys.split(' ').map((key, i) => (
        <span key={`${i}${key}`}>
          {i > 0 && <span className="keys-then"> {then} </span>}
          <kbd>{names[key] ?? key}</kbd>
        </span>
      ))}
    </span>
  );
}

const apple = /Mac|iPhone|iPad/.test(navigator.platform);

const names: Record<string, string> = {
  'Mod+k': apple ? '⌘K' : 'Ctrl+K',
  Escape: 'Esc',
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
};
