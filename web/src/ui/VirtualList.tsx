import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useImperativeHandle, useRef } from 'react';

export interface VirtualListHandle {
  scrollTo: (index: number) => void;
}

/** A long list of which only what is in view is in the page. It scrolls by itself and needs a height from its place. */
export function VirtualList({
  count,
  size,
  render,
  itemKey,
  label,
  className,
  ref,
  overscan = 12,
}: {
  count: number;
  /** The height of a line in pixels, about. */
  size: number;
  render: (index: number) => ReactNode;
  itemKey?: (index: number) => string | number;
  label: string;
  className?: string;
  ref?: React.Ref<VirtualListHandle>;
  overscan?: number;
}) {
  const outer = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => outer.current,
    estimateSize: () => size,
    getItemKey: itemKey,
    overscan,
  });
  useImperativeHandle(ref, () => ({ scrollTo: (index) => virtual.scrollToIndex(index, { align: 'auto' }) }), [virtual]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section ref={outer} data-virtual className={`virtual ${className ?? ''}`} aria-label={label} tabIndex={0}>
      <ul className="virtual-inner" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => (
          <li
            key={item.key}
            aria-setsize={count}
            aria-posinset={item.index + 1}
            data-index={item.index}
            ref={virtual.measureElement}
            className="virtual-item"
            style={{ transform: `translateY(${item.start}px)` }}
          >
            {render(item.index)}
          </li>
        ))}
      </ul>
    </section>
  );
}
