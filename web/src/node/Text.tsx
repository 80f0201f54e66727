import { useRef, useState } from 'react';
import { useI18n } from '../i18n';
import { Button } from '../ui';
import { beginning, pieces } from './odd';

/** A text of other people: characters that hide or reorder others are shown by name. */
export function Plain({ text }: { text: string }) {
  return (
    <bdi>
      {pieces(text).map((piece, i) =>
        piece.odd ? (
          <span key={i} className="odd">
            {piece.text}
          </span>
        ) : (
          piece.text
        ),
      )}
    </bdi>
  );
}

/** How many characters of a text are shown at first. */
export const shownAtFirst = 10_000;

// Whether a text may take more room than is good for it.
function tall(text: string): boolean {
  return text.length > 1000 || text.split('\n', 19).length > 18;
}

/** A text of any length, of which the rest is shown when it is asked for. */
export function Long({ text, className }: { text: string; className?: string }) {
  const { t, number } = useI18n();
  const [all, setAll] = useState(false);
  const box = useRef<HTMLPreElement>(null);
  const shown = all ? text : beginning(text, shownAtFirst);
  return (
    <>
      <pre
        ref={box}
        className={`long ${tall(shown) ? 'long-scroll' : ''} ${className ?? ''}`}
        dir="auto"
        // What scrolls must be reached by the keyboard.
        tabIndex={tall(shown) ? 0 : -1}
      >
        <Plain text={shown} />
        {shown.length < text.length && '…'}
      </pre>
      {shown.length < text.length && (
        <Button
          small
          onClick={() => {
            setAll(true);
            box.current?.focus(); // the button goes
          }}
        >
          {t('node.showAll', { size: number(text.length) })}
        </Button>
      )}
    </>
  );
}

const errorLines = 20;

/** The first lines of an error, and the rest when it is asked for. */
export function ErrorText({ text }: { text: string }) {
  const { t } = useI18n();
  const [all, setAll] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const lines = text.split('\n');
  const short = lines.slice(0, errorLines).join('\n');
  const cut = !all && short.length < text.length;
  return (
    <div ref={box} tabIndex={-1}>
      {/* The key: what was unfolded of one error says nothing of the next. */}
      <Long key={text} text={cut ? short : text} className="node-error-text" />
      {cut && (
        <Button
          small
          onClick={() => {
            setAll(true);
            box.current?.focus(); // the button goes
          }}
        >
          {t('node.error.more', { count: lines.length - errorLines })}
        </Button>
      )}
    </div>
  );
}
