import { useEffect, useState } from 'react';

/** Whether arrows are the graph's: in the drawer of a node they scroll. */
export function useKeysHere(): boolean {
  const [here, setHere] = useState(true);
  useEffect(() => {
    const moved = (e: FocusEvent) => {
      setHere(!(e.target instanceof Element && e.target.closest('.node-drawer') !== null));
    };
    const left = (e: FocusEvent) => {
      if (e.relatedTarget === null) setHere(true);
    };
    document.addEventListener('focusin', moved);
    document.addEventListener('focusout', left);
    return () => {
      document.removeEventListener('focusin', moved);
      document.removeEventListener('focusout', left);
    };
  }, []);
  return here;
}
