import { createContext, type ReactNode, useCallback, useContext, useRef, useState } from 'react';
import { useI18n } from '../i18n';
import { IconButton } from './Button';
import { Icon } from './Icon';

type Tone = 'plain' | 'error';
interface Note {
  id: number;
  text: ReactNode;
  tone: Tone;
}

const Show = createContext<(text: ReactNode, tone?: Tone) => void>(() => {});
const Announce = createContext<(text: string) => void>(() => {});

/** Shows a short note at the edge of the page for some seconds; errors stay until they are dismissed. */
export function useToast(): (text: ReactNode, tone?: Tone) => void {
  return useContext(Show);
}

/** Lets screen readers say something; nothing is shown. For ends only, not for each change. */
export function useAnnounce(): (text: string) => void {
  return useContext(Announce);
}

const life = 4000;

/** Keeps the notes and the live region of the app. */
export function Notes({ children }: { children: ReactNode }) {
  const { t } = useI18n();
  const [notes, setNotes] = useState<Note[]>([]);
  const [said, setSaid] = useState('');
  const next = useRef(0);
  const drop = useCallback((id: number) => setNotes((all) => all.filter((n) => n.id !== id)), []);
  const show = useCallback(
    (text: ReactNode, tone: Tone = 'plain') => {
      const id = next.current++;
      setNotes((all) => [...all.slice(-3), { id, text, tone }]);
      if (tone === 'plain') setTimeout(() => drop(id), life);
    },
    [drop],
  );
  const announce = useCallback((text: string) => {
    setSaid('');
    // The same text twice is said twice.
    setTimeout(() => setSaid(text), 50);
  }, []);
  return (
    <Show value={show}>
      <Announce value={announce}>
        {children}
        <div className="hidden" role="status" aria-live="polite">
          {said}
        </div>
        <section className="toasts" aria-label={t('ui.notifications')} aria-live="polite">
          {notes.map((note) => (
            <div
              key={note.id}
              className={`toast toast-${note.tone}`}
              role={note.tone === 'error' ? 'alert' : undefined}
            >
              <span>{note.text}</span>
              <IconButton small label={t('ui.dismiss')} onClick={() => drop(note.id)}>
                <Icon name="close" size={14} />
              </IconButton>
            </div>
          ))}
        </section>
      </Announce>
    </Show>
  );
}
