/**
 * Keeps the focus near: where what has it is taken out of the page, such as a button whose action is done, what stands in its
 * place now gets it, else what is next to it. Without that a screen reader begins at the top of the page again. What is
 * scrolled out of a list that holds only what is in view (`data-virtual`) gives it to the list. Gives what ends it.
 */
export function keepFocus(root: HTMLElement): () => void {
  let last: Element | undefined;
  // From where each dialog took the focus. That may be out of the page before the dialog is.
  const under = new Map<Element, { at: Element; place?: Place | undefined }>();
  const take = (e: FocusEvent) => {
    const next = e.target instanceof Element ? e.target : undefined;
    const dialog = next?.closest('dialog');
    if (dialog && last && !dialog.contains(last)) under.set(dialog, { at: last });
    last = next;
  };
  // Some browsers say it of what is taken out too; that is gone in a moment.
  const leave = (e: FocusEvent) => {
    const left = e.target;
    setTimeout(() => {
      if (last === left && last?.isConnected && document.activeElement !== last) last = undefined;
    });
  };
  const observer = new MutationObserver((records) => {
    const closed = [...under].filter(([dialog]) => !dialog.isConnected);
    for (const from of under.values()) if (!from.at.isConnected) from.place ??= placeOf(from.at, records);
    for (const [dialog] of closed) under.delete(dialog);
    if (!last || last.isConnected) return;
    const from = closed.find(([dialog]) => dialog.contains(last ?? null))?.[1];
    const place = from?.place?.parent.isConnected ? from.place : placeOf(last, records);
    last = undefined;
    // Whoever closes a dialog, or leads to another screen, says where the focus goes.
    setTimeout(() => {
      if (place && document.activeElement === document.body) heirOf(place)?.focus({ preventScroll: true });
    });
  });
  root.addEventListener('focusin', take);
  root.addEventListener('focusout', leave);
  observer.observe(root, { childList: true, subtree: true });
  return () => {
    observer.disconnect();
    root.removeEventListener('focusin', take);
    root.removeEventListener('focusout', leave);
  };
}

// Where something stood: in what, and behind what.
interface Place {
  parent: Element;
  before: Node | null;
}

function placeOf(gone: Node, records: readonly MutationRecord[]): Place | undefined {
  const record = records.find((r) => [...r.removedNodes].some((n) => n.contains(gone)));
  if (!record || !(record.target instanceof Element)) return undefined;
  if (!record.target.isConnected) return placeOf(record.target, records);
  return { parent: record.target, before: record.previousSibling?.isConnected ? record.previousSibling : null };
}

function heirOf({ parent, before }: Place): HTMLElement | undefined {
  const list = parent.closest<HTMLElement>('[data-virtual], .graph-area');
  if (list) {
    if (!list.hasAttribute('tabindex')) list.tabIndex = -1;
    return list;
  }
  const there = before ? before.nextSibling : parent.firstChild;
  for (let at: Element | null = parent, from = there, back = before; at; ) {
    for (let n: Node | null = from; n; n = n.nextSibling) {
      const found = focusable(n)[0];
      if (found) return found;
    }
    for (let n: Node | null = back; n; n = n.previousSibling) {
      const found = focusable(n).at(-1);
      if (found) return found;
    }
    if (at.matches('main, dialog, body')) return at instanceof HTMLElement && at.matches('main') ? at : undefined;
    from = at.nextSibling;
    back = at.previousSibling;
    at = at.parentElement;
  }
  return undefined;
}

// No fields: the keys of the page would go into their text.
const takers = 'a[href], button, input:is([type=checkbox], [type=radio]), summary, [tabindex]:not([tabindex="-1"])';

function focusable(node: Node): HTMLElement[] {
  if (!(node instanceof HTMLElement)) return [];
  const all = [...(node.matches(takers) ? [node] : []), ...node.querySelectorAll<HTMLElement>(takers)];
  return all.filter((e) => e.tabIndex >= 0 && !e.matches(':disabled') && (e.checkVisibility?.() ?? true));
}
