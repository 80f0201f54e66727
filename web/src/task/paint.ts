import { type RefObject, useEffect, useState } from 'react';
import { type Look, lookClass, shapes } from '../ui';
import type { Paint } from './canvas';

const names = ['ground', 'paper', 'raised', 'ink', 'muted', 'rule', 'edge', 'accent'] as const;
const looks = Object.keys(shapes) as Look[];

// A canvas knows no custom properties: an element tells what they come to.
function read(place: HTMLElement): Paint {
  const probe = document.createElement('span');
  probe.hidden = true;
  place.append(probe);
  const style = getComputedStyle(probe);
  const named = names.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, style.color] as const;
  });
  probe.style.color = '';
  const looked = looks.map((look) => {
    probe.className = lookClass(look);
    return [look, style.color] as const;
  });
  const font = style.fontFamily;
  probe.remove();
  return {
    ...(Object.fromEntries(named) as Record<(typeof names)[number], string>),
    looks: Object.fromEntries(looked) as Paint['looks'],
    font,
  };
}

/** The colours of the theme for what is drawn; read anew when the theme changes. */
export function usePaint(place: RefObject<HTMLElement | null>): Paint | undefined {
  const [paint, setPaint] = useState<Paint>();
  useEffect(() => {
    const again = () => place.current && setPaint(read(place.current));
    again();
    const changed = new MutationObserver(again);
    changed.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const contrast = matchMedia('(prefers-contrast: more)');
    dark.addEventListener('change', again);
    contrast.addEventListener('change', again);
    return () => {
      changed.disconnect();
      dark.removeEventListener('change', again);
      contrast.removeEventListener('change', again);
    };
  }, [place]);
  return paint;
}
