import type { ComponentProps } from 'react';

type Kind = 'plain' | 'primary' | 'danger' | 'quiet';

export interface ButtonProps extends ComponentProps<'button'> {
  kind?: Kind;
  small?: boolean;
  /** Something goes on because of it: it stays in place, but does nothing. */
  busy?: boolean;
}

export function Button({ kind = 'plain', small, busy, className, onClick, type = 'button', ...rest }: ButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      aria-busy={busy || undefined}
      aria-disabled={busy || rest['aria-disabled']}
      onClick={busy ? (e) => e.preventDefault() : onClick}
      className={['button', `button-${kind}`, small && 'button-small', className].filter(Boolean).join(' ')}
    />
  );
}

/** A button that shows only a sign; its label is said and shown as a tip. */
export function IconButton({ label, ...rest }: ButtonProps & { label: string }) {
  return (
    <Button kind="quiet" {...rest} aria-label={label} title={label} className={`button-icon ${rest.className ?? ''}`} />
  );
}
