import { useI18n } from '../i18n';
import { Button } from './Button';
import { Icon } from './Icon';
import { useToast } from './Toast';

/** Copies a text; gives whether that worked. Outside of https and localhost browsers offer only the old way. */
export async function copyText(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Not allowed: the old way.
    }
  }
  const box = document.createElement('textarea');
  box.value = text;
  box.className = 'hidden';
  const place = document.querySelector('dialog:modal') ?? document.body;
  const before = document.activeElement;
  place.append(box);
  box.select();
  const done = document.execCommand('copy');
  box.remove();
  if (before instanceof HTMLElement) before.focus();
  return done;
}

/** Copies a text and says so. */
export function useCopy(): (text: string) => Promise<void> {
  const { t } = useI18n();
  const toast = useToast();
  return async (text) => {
    const done = await copyText(text);
    toast(done ? t('ui.copied') : t('ui.copyFailed'), done ? 'plain' : 'error');
  };
}

/** A button that copies a text. */
export function CopyButton({ text, label, word = false }: { text: string; label?: string; word?: boolean }) {
  const { t } = useI18n();
  const copy = useCopy();
  const said = label ?? t('ui.copy');
  return (
    <Button
      kind={word ? 'plain' : 'quiet'}
      small
      className={word ? undefined : 'button-icon'}
      aria-label={word ? undefined : said}
      title={said}
      onClick={() => void copy(text)}
    >
      <Icon name="copy" size={14} />
      {word && said}
    </Button>
  );
}
