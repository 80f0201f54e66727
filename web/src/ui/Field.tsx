import { type ComponentProps, type ReactNode, useId } from 'react';
import { useI18n } from '../i18n';

export interface FieldProps {
  label: ReactNode;
  hint?: ReactNode;
  /** What is wrong with what is in it. */
  error?: ReactNode;
  required?: boolean;
  /** Gets what ties the control to its label, hint and error. */
  children: (props: {
    id: string;
    'aria-describedby': string | undefined;
    'aria-invalid': true | undefined;
    required: boolean | undefined;
  }) => ReactNode;
}

/** A label with its control, a hint, and what is wrong with it. */
export function Field({ label, hint, error, required, children }: FieldProps) {
  const { t } = useI18n();
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ');
  return (
    <div className="field">
      <label htmlFor={id}>
        {label}
        {required && <span className="field-required"> · {t('ui.required')}</span>}
      </label>
      {children({ id, 'aria-describedby': described || undefined, 'aria-invalid': error ? true : undefined, required })}
      {hint && (
        <p className="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p className="field-error" id={`${id}-error`} role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

export function TextInput(props: ComponentProps<'input'>) {
  return <input type="text" spellCheck={false} {...props} className={`input ${props.className ?? ''}`} />;
}

export function TextArea(props: ComponentProps<'textarea'>) {
  return <textarea spellCheck={false} {...props} className={`input ${props.className ?? ''}`} />;
}

export function Select(props: ComponentProps<'select'>) {
  return <select {...props} className={`input select ${props.className ?? ''}`} />;
}

/** A box to tick, with its label behind it. */
export function Checkbox({ label, ...props }: ComponentProps<'input'> & { label: ReactNode }) {
  return (
    <label className="check">
      <input {...props} type="checkbox" />
      <span>{label}</span>
    </label>
  );
}
