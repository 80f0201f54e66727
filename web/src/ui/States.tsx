import { type ReactNode, useEffect, useRef, useState } from 'react';
import { ApiError, type Feed, useServerNow } from '../api';
import { type I18n, isKey, useI18n } from '../i18n';
import { Button } from './Button';
import { CopyButton } from './Copy';
import { span } from './format';
import { Icon } from './Icon';
import { useAnnounce } from './Toast';

/** Nothing is there: why, and what to do about it. As the whole `page` its title is the heading of that. */
export function Empty({
  title,
  children,
  action,
  page,
}: {
  title: ReactNode;
  children?: ReactNode;
  action?: ReactNode;
  page?: boolean;
}) {
  const Title = page ? 'h1' : 'p';
  return (
    <div className="empty">
      <Title className="empty-title">{title}</Title>
      {children && <div className="empty-text">{children}</div>}
      {action && <div className="empty-action">{action}</div>}
    </div>
  );
}

/** Says in one sentence what an error is. */
export function errorSentence(error: unknown, t: I18n['t']): string {
  return error instanceof ApiError ? t(`error.${error.code}`) : t('error.unknown');
}

/** One refusal among many: what its code means in the language of the viewer, and what the server says, in its own. */
export function Refusal({ code, children }: { code: string | undefined; children: ReactNode }) {
  const { t, language } = useI18n();
  const key = `error.${code}`;
  // The sentence of the server is English, and says more than its code.
  const general = language !== 'en' && isKey(key) ? t(key) : '';
  return (
    <>
      {general && <span className="refusal-general">{general} </span>}
      <bdi lang="en">{children}</bdi> {code && <span className="muted mono">{code}</span>}
    </>
  );
}

/** An error: what it is, what the server says of it, its code and request id to copy, and a way to try again. */
export function ErrorBox({
  error,
  retry,
  title,
  page,
}: {
  error: unknown;
  retry?: () => void;
  title?: ReactNode;
  page?: boolean;
}) {
  const { t } = useI18n();
  const Title = page ? 'h1' : 'p';
  const known = error instanceof ApiError ? error : undefined;
  const message = error instanceof Error ? error.message : String(error);
  const lines = [
    known?.code && t('ui.code', { code: known.status ? `${known.code} (${known.status})` : known.code }),
    known?.requestId && t('ui.requestId', { id: known.requestId }),
  ].filter((l) => l);
  const whole = [message, ...(known?.faults ?? []).map((f) => `${f.location ?? ''} ${f.message}`.trim()), ...lines];
  return (
    <div className="error-box" role="alert">
      <Title className="error-title">{title ?? errorSentence(error, t)}</Title>
      <p className="error-text" lang={known ? 'en' : undefined}>
        {message}
      </p>
      {known && known.faults.length > 0 && (
        <ul className="error-faults">
          {known.faults.map((f) => (
            <li key={`${f.location} ${f.message}`}>
              {f.location && <code>{f.location}</code>} {f.message}
            </li>
          ))}
        </ul>
      )}
      <div className="error-foot">
        {lines.map((line) => (
          <span key={line} className="error-code">
            {line}
          </span>
        ))}
        <CopyButton text={whole.join('\n')} />
        {retry && (
          <Button small onClick={retry}>
            <Icon name="refresh" size={14} />
            {t('ui.retry')}
          </Button>
        )}
      </div>
    </div>
  );
}

/** The caller may not see something: what the server says is missing, and whom to ask. */
export function NoPermission({ error, admins, page }: { error?: unknown; admins?: readonly string[]; page?: boolean }) {
  const { t } = useI18n();
  return (
    <Empty title={t('noPermission.title')} page={page}>
      {error instanceof Error && <p lang={error instanceof ApiError ? 'en' : undefined}>{error.message}</p>}
      <p>{admins?.length ? t('noPermission.ask', { admins: admins.join(', ') }) : t('noPermission.askAny')}</p>
    </Empty>
  );
}

/** Shows an error as what it is: a missing permission or another failure. */
export function Failure({
  error,
  retry,
  admins,
  page,
}: {
  error: unknown;
  retry?: () => void;
  admins?: readonly string[];
  page?: boolean;
}) {
  if (error instanceof ApiError && error.code === 'denied') {
    return <NoPermission error={error} admins={admins} page={page} />;
  }
  return <ErrorBox error={error} retry={retry} page={page} />;
}

const patience = 150;

/** Shows what stands for something that loads, but only when it takes long enough to be noticed. */
export function Delayed({ children }: { children: ReactNode }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), patience);
    return () => clearTimeout(timer);
  }, []);
  return late ? children : null;
}

/** Grey lines in place of what loads. */
export function Skeleton({ lines = 6 }: { lines?: number }) {
  const { t } = useI18n();
  return (
    <Delayed>
      <div className="skeleton" role="status" aria-label={t('ui.loading')}>
        {Array.from({ length: lines }, (_, i) => (
          <div key={i} className="skeleton-line" />
        ))}
      </div>
    </Delayed>
  );
}

/** How fresh what is shown is: live, stale since when, asked for every few seconds, or ended. */
export function FeedMark({ feed, retry }: { feed: Feed; retry?: () => void }) {
  const { t } = useI18n();
  const now = useServerNowOf(feed);
  const text = feed.state === 'stale' ? t('feed.stale', { ago: span(now - feed.since, t) }) : t(`feed.${feed.state}`);
  const bad = feed.state === 'stale' || feed.state === 'ended';
  // How long ago it was grows by the second: as a live region it would be read out each time.
  const announce = useAnnounce();
  const said = useRef(bad);
  useEffect(() => {
    if (said.current !== bad) announce(feed.state === 'stale' ? t('feed.lost') : text);
    said.current = bad;
  });
  return (
    <span className={`feed feed-${feed.state}`}>
      <span className="feed-dot" aria-hidden="true" />
      <span>{text}</span>
      {bad && retry && (
        <Button kind="quiet" small onClick={retry}>
          {t('ui.retry')}
        </Button>
      )}
    </span>
  );
}

// A feed tells moments by the clock of this computer.
function useServerNowOf(feed: Feed): number {
  useServerNow(feed.state === 'stale');
  return Date.now();
}
