import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { Button, type ButtonProps } from './Button';
import { KeyLayer } from './keys';

export interface MenuItem {
  key: string;
  label: ReactNode;
  run?: () => void;
  /** Whether it is the chosen one of several. */
  checked?: boolean;
  danger?: boolean;
  disabled?: boolean;
  /** A line stands above it. */
  apart?: boolean;
}

/** A button that opens a list of things to do; arrows, Home, End and first letters move in it. */
export function Menu({
  items,
  button,
  head,
  align = 'end',
}: {
  items: readonly MenuItem[];
  button: ButtonProps;
  head?: ReactNode;
  align?: 'start' | 'end';
}) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const anchor = useRef<HTMLButtonElement>(null);
  return (
    <>
      <Button
        {...button}
        ref={anchor}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
        onKeyDown={(e) => {
          if (e.key !== 'ArrowDown') return;
          e.preventDefault();
          setOpen(true);
        }}
      />
      {open && (
        <KeyLayer>
          <List
            id={id}
            items={items}
            head={head}
            align={align}
            anchor={anchor}
            onClose={(focus) => {
              setOpen(false);
              if (focus) anchor.current?.focus();
            }}
          />
        </KeyLayer>
      )}
    </>
  );
}

interface ListProps {
  id: string;
  items: readonly MenuItem[];
  head: ReactNode;
  align: 'start' | 'end';
  anchor: React.RefObject<HTMLButtonElement | null>;
  onClose: (focus: boolean) => void;
}

function List({ id, items, head, align, anchor, onClose }: ListProps) {
  const ref = useRef<HTMLDivElement>(null);
  const close = useRef(onClose);
  useEffect(() => {
    close.current = onClose;
  });
  useEffect(() => {
    const list = ref.current;
    const from = anchor.current;
    if (!list || !from) return;
    // In the top layer nothing cuts it off.
    list.showPopover?.();
    place(list, from, align);
    list.querySelector<HTMLElement>('[aria-checked=true], [role^=menuitem]')?.focus();
    const outside = (e: Event) => {
      if (e.target instanceof Node && !list.contains(e.target) && !from.contains(e.target)) close.current(false);
    };
    // A screen reader scrolls to the button and presses it; the event of that comes when the menu is there, and moved nothing.
    const { top, left } = from.getBoundingClientRect();
    const scrolled = () => {
      const now = from.getBoundingClientRect();
      if (now.top !== top || now.left !== left) close.current(false);
    };
    const resized = () => close.current(false);
    document.addEventListener('pointerdown', outside);
    addEventListener('resize', resized);
    addEventListener('scroll', scrolled, true);
    return () => {
      document.removeEventListener('pointerdown', outside);
      removeEventListener('resize', resized);
      removeEventListener('scroll', scrolled, true);
    };
  }, [anchor, align]);

  const move = (e: KeyboardEvent) => {
    const all = [...(ref.current?.querySelectorAll<HTMLElement>('[role^=menuitem]') ?? [])];
    const at = all.indexOf(document.activeElement as HTMLElement);
    let to: HTMLElement | undefined;
    if (e.key === 'ArrowDown') to = all[(at + 1) % all.length];
    else if (e.key === 'ArrowUp') to = all[(at - 1 + all.length) % all.length];
    else if (e.key === 'Home') to = all[0];
    else if (e.key === 'End') to = all.at(-1);
    else if (e.key === 'Escape' || e.key === 'Tab') {
      if (e.key === 'Escape') e.preventDefault();
      e.stopPropagation();
      onClose(true);
      return;
    } else if (e.key.length === 1 && !e.ctrlKey && !e.metaKey && e.key !== ' ') {
      const after = [...all.slice(at + 1), ...all.slice(0, at + 1)];
      to = after.find((i) => i.textContent?.trim().toLowerCase().startsWith(e.key.toLowerCase()));
    } else return;
    e.preventDefault();
    e.stopPropagation();
    to?.focus();
  };

  return (
    <div ref={ref} id={id} role="menu" tabIndex={-1} className="menu" popover="manual" onKeyDown={move}>
      {head && <div className="menu-head">{head}</div>}
      {items.map((item) => (
        // biome-ignore lint/a11y/useAriaPropsSupportedByRole: a menuitemradio has it
        <button
          key={item.key}
          type="button"
          tabIndex={-1}
          role={item.checked === undefined ? 'menuitem' : 'menuitemradio'}
          aria-checked={item.checked}
          aria-disabled={item.disabled || undefined}
          className={['menu-item', item.danger && 'menu-danger', item.apart && 'menu-apart'].filter(Boolean).join(' ')}
          onClick={() => {
            if (item.disabled) return;
            onClose(true);
            item.run?.();
          }}
        >
          {item.label}
        </button>
      ))}
    </div>
  );
}

function place(list: HTMLElement, from: HTMLElement, align: 'start' | 'end'): void {
  const box = from.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = list;
  const x = align === 'end' ? box.right - width : box.left;
  const below = box.bottom + 4;
  const y = below + height > innerHeight && box.top - 4 - height >= 0 ? box.top - 4 - height : below;
  list.style.left = `${Math.max(4, Math.min(x, innerWidth - width - 4))}px`;
  list.style.top = `${Math.max(4, y)}px`;
}
