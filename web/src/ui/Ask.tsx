import { type FormEvent, type ReactNode, useId, useState } from 'react';
import { useI18n } from '../i18n';
import { Button } from './Button';
import { Dialog } from './Dialog';
import { ReasonField } from './ReasonField';
import { ErrorBox } from './States';

/** Asks before something is done, and for the reason that is kept with it. */
export function Ask({
  title,
  note,
  children,
  action,
  danger,
  reason: asks = true,
  busy,
  error,
  onClose,
  onConfirm,
}: {
  title: ReactNode;
  /** What has changed since it was opened. */
  note?: ReactNode;
  children?: ReactNode;
  /** The words of the button that does it. */
  action: ReactNode;
  danger?: boolean;
  reason?: boolean;
  busy?: boolean;
  /** Why it could not be done. */
  error?: unknown;
  onClose: () => void;
  onConfirm: (reason: string | undefined) => void;
}) {
  const { t } = useI18n();
  const form = useId();
  const [reason, setReason] = useState('');
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (!busy) onConfirm(reason.trim() || undefined);
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t('ui.cancel')}</Button>
          <Button type="submit" form={form} kind={danger ? 'danger' : 'primary'} busy={busy}>
            {action}
          </Button>
        </>
      }
    >
      <form id={form} onSubmit={submit} className="ask">
        <AskNote>{note}</AskNote>
        {children}
        {asks && <ReasonField data-focus="" value={reason} onChange={setReason} />}
        {error !== undefined && error !== null && <ErrorBox error={error} />}
      </form>
    </Dialog>
  );
}

/** Says, in what asks, that something has changed since it was opened. */
export function AskNote({ children }: { children: ReactNode }) {
  if (!children) return null;
  return (
    <p className="ask-note" role="alert">
      {children}
    </p>
  );
}
