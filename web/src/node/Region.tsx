import { type KeyboardEvent, type PointerEvent, type ReactNode, useId, useLayoutEffect, useRef, useState } from 'react';
import { useI18n } from '../i18n';
import { Icon, IconButton, useKeys } from '../ui';

const widthKept = 'stdops.node.width';
const least = 360;
const usual = 480;
const widest = 960;

function storedWidth(): number {
  try {
    const width = Number(localStorage.getItem(widthKept));
    return width >= least && width <= widest ? width : usual;
  } catch {
    return usual;
  }
}

/** The drawer as a part of the page: its edge can be dragged, and moved by the keyboard. */
export function Region({ title, onClose, children }: { title: ReactNode; onClose: () => void; children: ReactNode }) {
  const { t } = useI18n();
  const heading = useId();
  const ref = useRef<HTMLElement>(null);
  const head = useRef<HTMLHeadingElement>(null);
  const [width, setWidth] = useState(storedWidth);
  const drag = useRef<{ x: number; width: number }>(undefined);
  useKeys(t('node.title'), [{ keys: 'Escape', label: t('node.close'), run: onClose, inText: true }]);
  // Before it is out of the page, so that the focus is never nowhere.
  useLayoutEffect(() => {
    const before = document.activeElement;
    const region = ref.current;
    head.current?.focus({ preventScroll: true });
    return () => {
      // Whoever has gone on to something else stays there.
      const now = document.activeElement;
      if (now !== document.body && now !== null && !region?.contains(now)) return;
      if (before instanceof HTMLElement || before instanceof SVGElement) before.focus({ preventScroll: true });
    };
  }, []);
  const resize = (wanted: number) => {
    const next = Math.round(Math.min(widest, innerWidth * 0.7, Math.max(least, wanted)));
    setWidth(next);
    try {
      localStorage.setItem(widthKept, String(next));
    } catch {
      // It holds until the page is closed, then.
    }
  };
  const key = (e: KeyboardEvent) => {
    const step = e.shiftKey ? 96 : 24;
    const to = { ArrowLeft: width + step, ArrowRight: width - step, Home: widest, End: least }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    e.stopPropagation();
    resize(to);
  };
  const move = (e: PointerEvent) => {
    if (drag.current) resize(drag.current.width + drag.current.x - e.clientX);
  };
  return (
    <aside ref={ref} className="node-drawer" aria-labelledby={heading} style={{ width }}>
      <div
        role="separator"
        className="node-edge"
        aria-orientation="vertical"
        aria-label={t('node.resize')}
        aria-valuenow={width}
        aria-valuemin={least}
        aria-valuemax={widest}
        tabIndex={0}
        onKeyDown={key}
        onPointerDown={(e) => {
          drag.current = { x: e.clientX, width };
          e.currentTarget.setPointerCapture(e.pointerId);
          e.preventDefault();
        }}
        onPointerMove={move}
        onPointerUp={() => {
          drag.current = undefined;
        }}
        onPointerCancel={() => {
          drag.current = undefined;
        }}
      />
      <header className="node-head">
        <h2 id={heading} ref={head} tabIndex={-1}>
          {title}
        </h2>
        <IconButton label={t('node.close')} onClick={onClose}>
          <Icon name="close" />
        </IconButton>
      </header>
      <div className="node-body">{children}</div>
    </aside>
  );
}
