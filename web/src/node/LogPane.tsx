import { useVirtualizer } from '@tanstack/react-virtual';
import {
  memo,
  type ReactNode,
  useCallback,
  useDeferredValue,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { useI18n } from '../i18n';
import { Button, Checkbox, ErrorBox, Icon, IconButton, Skeleton, TextInput } from '../ui';
import { type MarkedRun, mark, parseLine, styleClass } from './ansi';
import type { LogText } from './logText';
import { beginning, pieces } from './odd';
import type { useLog } from './useLog';

const lineHeight = 20;
const tallest = 300;
const near = 24; // pixels from the end that count as the end
const longestLine = 4000; // characters of a line that are shown at first

/** A log: what is loaded of it, with search, and at its end what comes. */
export function LogPane({
  log,
  tools,
  height,
}: {
  log: ReturnType<typeof useLog>;
  tools: ReactNode;
  height: 'part' | 'full';
}) {
  const { t, number } = useI18n();
  const { text, edition } = log;
  const outer = useRef<HTMLDivElement>(null);
  const [stick, setStick] = useState(true);
  const top = useRef(0);
  const [wrap, setWrap] = useState(false);
  const [wanted, setWanted] = useState('');
  const [at, setAt] = useState(0);
  const search = useDeferredValue(wanted);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text changes in place, the edition tells
  const found = useMemo(() => text.search(search), [text, edition, search]);
  const hit = found.length > 0 ? found[Math.min(at, found.length - 1)] : undefined;

  // The same function as long as it gives the same: for another one all lines are laid out anew.
  const base = text.first;
  const keyOf = useCallback((index: number) => base + index, [base]);
  const virtual = useVirtualizer({
    count: text.lines.length,
    getScrollElement: () => outer.current,
    estimateSize: () => lineHeight,
    getItemKey: keyOf,
    overscan: 20,
  });
  const total = virtual.getTotalSize();

  // biome-ignore lint/correctness/useExhaustiveDependencies: measured anew when lines wrap, or do not any more
  useLayoutEffect(() => virtual.measure(), [wrap, virtual]);

  // What stands at the top stays there when older lines come in front of it.
  const first = useRef({ text, number: text.first });
  useLayoutEffect(() => {
    const before = first.current;
    first.current = { text, number: text.first };
    if (before.text === text && before.number > text.first) {
      const seen = virtual.range?.startIndex ?? 0;
      virtual.scrollToIndex(seen + before.number - text.first, { align: 'start' });
    }
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: with each line that comes, and with each that turns out taller
  useLayoutEffect(() => {
    const box = outer.current;
    if (!stick || !box) return;
    box.scrollTop = box.scrollHeight;
    top.current = box.scrollTop;
  }, [stick, total, edition]);

  // Another height, as of a dialog that opens, leaves the end where it was.
  const following = useRef(stick);
  useEffect(() => {
    following.current = stick;
  });
  const shown = text.lines.length > 0;
  useEffect(() => {
    const box = outer.current;
    if (!shown || !box) return;
    const watch = new ResizeObserver(() => {
      if (!following.current) return;
      box.scrollTop = box.scrollHeight;
      top.current = box.scrollTop;
    });
    watch.observe(box);
    return () => watch.disconnect();
  }, [shown]);

  const goTo = useCallback((index: number) => virtual.scrollToIndex(index, { align: 'center' }), [virtual]);
  const step = (by: number) => {
    if (found.length === 0) return;
    const to = (Math.min(at, found.length - 1) + by + found.length) % found.length;
    setAt(to);
    setStick(false);
    goTo(found[to] as number);
  };
  // The newest find is the first that is shown: that is where the log is looked at.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when something else is looked for
  useEffect(() => {
    setAt(Math.max(0, found.length - 1));
    const last = found.at(-1);
    if (last !== undefined) {
      setStick(false);
      goTo(last);
    }
  }, [search]);

  // Numbers are those of the log as soon as its beginning is there.
  const numbered = text.start > 0 ? text.first : 0;
  const digits = Math.max(String(numbered + 1).length, String(numbered + text.lines.length).length);
  const empty = log.loaded && text.lines.length === 0;
  return (
    <div className={`log log-${height}`}>
      <div className="log-bar">
        <div className="log-search" hidden={text.lines.length === 0}>
          <TextInput
            type="search"
            data-log-search=""
            aria-label={t('node.log.search')}
            placeholder={t('node.log.search')}
            value={wanted}
            onChange={(e) => setWanted(e.target.value)}
            onKeyDown={(e) => {
              if (e.key === 'Enter') {
                e.preventDefault();
                step(e.shiftKey ? 1 : -1);
              } else if (e.key === 'Escape' && wanted !== '') {
                e.preventDefault();
                e.stopPropagation();
                setWanted('');
              }
            }}
          />
          {wanted !== '' && (
            <>
              <span className="log-found" role="status">
                {found.length === 0
                  ? t('node.log.none')
                  : t('node.log.found', { at: number(Math.min(at, found.length - 1) + 1), count: found.length })}
              </span>
              <IconButton small label={t('node.log.previous')} disabled={found.length === 0} onClick={() => step(-1)}>
                <span className="turn-up">
                  <Icon name="down" size={14} />
                </span>
              </IconButton>
              <IconButton small label={t('node.log.next')} disabled={found.length === 0} onClick={() => step(1)}>
                <Icon name="down" size={14} />
              </IconButton>
            </>
          )}
        </div>
        <div className="log-tools">
          <Checkbox label={t('node.log.wrap')} checked={wrap} onChange={(e) => setWrap(e.target.checked)} />
          {tools}
        </div>
      </div>
      {log.error !== undefined && log.error !== null && <ErrorBox error={log.error} retry={log.retry} />}
      {text.start > 0 && (
        <div className="log-older">
          <Button kind="quiet" small busy={log.loadingOlder} onClick={log.older}>
            {t('node.log.older', { size: number(Math.ceil(text.start / 1024)) })}
          </Button>
          <span>{t('node.log.numbers')}</span>
        </div>
      )}
      <div
        className="log-frame"
        // Beside the rest of a node a short log takes no more room than it needs.
        style={height === 'part' && shown ? { height: Math.min(tallest, total + 18) } : undefined}
      >
        {!log.loaded && !log.error && <Skeleton lines={4} />}
        {empty && <p className="log-empty">{t(log.complete ? 'node.log.empty' : 'node.log.notYet')}</p>}
        {text.lines.length > 0 && (
          <section
            ref={outer}
            className={wrap ? 'log-lines log-wrap' : 'log-lines'}
            aria-label={t('node.log')}
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
            tabIndex={0}
            onScroll={(e) => {
              const box = e.currentTarget;
              // Only who scrolls up leaves the end: that it is further away may be because lines came.
              const up = box.scrollTop < top.current - 1;
              top.current = box.scrollTop;
              if (box.scrollHeight - box.scrollTop - box.clientHeight < near) setStick(true);
              else if (up) setStick(false);
            }}
          >
            <div
              className="log-inner"
              style={{
                height: total,
                minWidth: wrap ? undefined : `calc(${Math.min(text.longest, longestLine) + digits + 6}ch + 24px)`,
              }}
            >
              {virtual.getVirtualItems().map((item) => (
                <div
                  key={item.key}
                  data-index={item.index}
                  ref={wrap ? virtual.measureElement : undefined}
                  className={item.index === hit ? 'log-line log-hit' : 'log-line'}
                  style={{ transform: `translateY(${item.start}px)` }}
                >
                  <span className="log-number" aria-hidden="true" style={{ width: `${digits + 2}ch` }}>
                    {numbered + item.index + 1}
                  </span>
                  <Line
                    text={text}
                    index={item.index}
                    line={text.lines[item.index] ?? ''}
                    edition={text.first}
                    wanted={search}
                  />
                </div>
              ))}
            </div>
          </section>
        )}
        {!stick && text.lines.length > 0 && (
          <Button
            small
            className="log-newest"
            onClick={() => {
              setStick(true);
              outer.current?.focus();
            }}
          >
            <Icon name="down" size={14} />
            {t('node.log.newest')}
          </Button>
        )}
      </div>
      <p className="log-foot">
        <span className={log.complete ? undefined : 'log-live'} role="status">
          {log.complete ? t('node.log.ended') : log.loaded ? t('node.log.follows') : t('ui.loading')}
        </span>
        {log.loaded && <span>{t('node.log.lines', { count: text.lines.length })}</span>}
      </p>
    </div>
  );
}

interface LineProps {
  text: LogText;
  index: number;
  line: string;
  /** Of what is in front of it, from which its style may come. */
  edition: number;
  wanted: string;
}

const Line = memo(function Line({ text, index, line, wanted }: LineProps) {
  const { t, number } = useI18n();
  const [all, setAll] = useState(false);
  const shown = all ? line : beginning(line, longestLine);
  const runs = mark(parseLine(shown, text.style(index)).runs, wanted);
  return (
    <span className="log-text">
      <bdi>
        {runs.map((run, i) => (
          <Piece key={i} run={run} />
        ))}
      </bdi>
      {shown.length < line.length && (
        <Button small kind="quiet" onClick={() => setAll(true)}>
          {t('node.log.longLine', { size: number(line.length - shown.length) })}
        </Button>
      )}
    </span>
  );
});

function Piece({ run }: { run: MarkedRun }) {
  const css = styleClass(run.style);
  const content = pieces(run.text).map((piece, i) =>
    piece.odd ? (
      <span key={i} className="odd">
        {piece.text}
      </span>
    ) : (
      piece.text
    ),
  );
  if (run.hit) return <mark className={css || undefined}>{content}</mark>;
  return css ? <span className={css}>{content}</span> : content;
}
