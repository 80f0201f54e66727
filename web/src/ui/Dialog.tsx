import { type ReactNode, useEffect, useId, useLayoutEffect, useRef } from 'react';
import { useI18n } from '../i18n';
import { IconButton } from './Button';
import { Icon } from './Icon';
import { KeyLayer } from './keys';

export interface DialogProps {
  title: ReactNode;
  onClose: () => void;
  children: ReactNode;
  /** Buttons at its end. */
  foot?: ReactNode;
  wide?: boolean;
  /** It takes all the room that there is, and its content the height of it. */
  full?: boolean;
}

/**
 * A dialog over the page: the rest is out of reach while it is there, Escape closes it, and the focus goes back to where
 * it was. It is shown while it is rendered.
 */
export function Dialog({ title, onClose, children, foot, wide, full }: DialogProps) {
  const size = full ? 'dialog dialog-full' : wide ? 'dialog dialog-wide' : 'dialog';
  return (
    <Modal className={size} title={title} onClose={onClose} foot={foot}>
      {children}
    </Modal>
  );
}

/** The same at the edge of the page, for more than a question. */
export function Drawer({ title, onClose, children, foot }: DialogProps) {
  return (
    <Modal className="drawer" title={title} onClose={onClose} foot={foot}>
      {children}
    </Modal>
  );
}

function Modal({ title, onClose, children, foot, className }: DialogProps & { className: string }) {
  const { t } = useI18n();
  const ref = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const close = useRef(onClose);
  useEffect(() => {
    close.current = onClose;
  });
  // Before it is out of the page, so that the focus is never nowhere.
  useLayoutEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    if (dialog && !dialog.open) {
      dialog.showModal();
      // The browser would choose the button that closes it.
      const first = ['[data-focus]', '.dialog-body :is(input, textarea, select)'];
      first.reduce<HTMLElement | null>((found, at) => found ?? dialog.querySelector(at), null)?.focus();
    }
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <KeyLayer>
      {/* A click on the backdrop closes too; the keyboard has Escape for it. */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: see above */}
      <dialog
        ref={ref}
        className={className}
        aria-labelledby={heading}
        onCancel={(e) => {
          if (e.target !== ref.current) return;
          e.preventDefault();
          close.current();
        }}
        onClick={(e) => {
          if (e.target === ref.current) close.current();
        }}
      >
        <div className="dialog-box">
          <header className="dialog-head">
            <h2 id={heading}>{title}</h2>
            <IconButton label={t('ui.close')} onClick={onClose}>
              <Icon name="close" />
            </IconButton>
          </header>
          <div className="dialog-body">{children}</div>
          {foot && <footer className="dialog-foot">{foot}</footer>}
        </div>
      </dialog>
    </KeyLayer>
  );
}
