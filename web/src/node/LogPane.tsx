import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, type ReactNode, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useServerNow } from '../api';
import { useI18n } from '../i18n';
import {
  Button,
  Checkbox,
  CopyButton,
  ErrorBox,
  FeedMark,
  Icon,
  IconButton,
  Skeleton,
  sameDigits,
  TextInput,
} from '../ui';
import { type MarkedRun, mark, parseLine, styleClass } from './ansi';
import { LineTime, timeWidth } from './LineTime';
import type { LogText } from './logText';
import { beginning, pieces } from './odd';
import { useKept } from './useKept';
import type { Log } from './useLog';
import { mostHits, type useLogSearch } from './useLogSearch';

const lineHeight = 20;
const tallest = 300;
const near = 24; // pixels from the end that count as the end
const longestLine = 4000; // characters of a line that are shown at first

/**
 * A log: what is loaded of it, with a search in all of it, and at its end what comes. `line` is the line that the address
 * names; `link` gives the address that names one.
 */
export function LogPane({
  log,
  search,
  wanted,
  onWanted,
  line,
  onLine,
  link,
  tools,
  height,
}: {
  log: Log;
  search: ReturnType<typeof useLogSearch>;
  wanted: string;
  onWanted: (text: string) => void;
  line: number | undefined;
  onLine: (line: number) => void;
  link: (line: number) => string;
  tools: ReactNode;
  height: 'part' | 'full';
}) {
  const { t, number } = useI18n();
  const { text, edition, around } = log;
  const outer = useRef<HTMLDivElement>(null);
  const [stick, setStick] = useState(line === undefined);
  const top = useRef(0);
  const [wrap, setWrap] = useKept('log.wrap');
  const [timed, setTimed] = useKept('log.times');
  const now = useServerNow(false);
  const [at, setAt] = useState(-1);
  const hits = search.hits;
  const marked = line;
  // Where to go as soon as it is loaded.
  const [goal, setGoal] = useState<{ line: number; from?: number } | undefined>(
    line === undefined ? undefined : { line },
  );

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
  useLayoutEffect(() => virtual.measure(), [wrap, timed, virtual]);

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

  const asked = useRef<typeof goal>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text changes in place, the edition tells
  useEffect(() => {
    if (!goal || !log.loaded) return;
    const index = text.indexOf(goal.line);
    if (index >= 0) {
      setStick(false);
      virtual.scrollToIndex(index, { align: 'center' });
      setGoal(undefined);
    } else if (asked.current !== goal && !log.loading) {
      asked.current = goal;
      setStick(false);
      void around(goal.line, goal.from).then((there) => setGoal(there === undefined ? undefined : { line: there }));
    }
  }, [goal, text, edition, log.loaded, log.loading, around, virtual]);

  const show = (index: number) => {
    const to = hits[index];
    if (!to) return;
    setAt(index);
    setGoal({ line: to.line, from: to.from });
    onLine(to.line);
  };
  const step = (by: number) => {
    if (hits.length > 0) show((Math.max(at, 0) + by + hits.length) % hits.length);
  };
  // The newest find is the first that is shown: that is where the log is looked at.
  const shownFor = useRef(search.wanted);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when something else was looked for, to the end
  useEffect(() => {
    if (search.wanted === shownFor.current || (search.wanted !== '' && !search.done)) return;
    shownFor.current = search.wanted;
    setAt(-1);
    show(hits.length - 1);
  }, [search.wanted, search.done]);
  const count = hits.length >= mostHits ? `${number(hits.length)}+` : number(hits.length);
  const progress =
    search.wanted !== wanted || !search.done
      ? t('node.log.searching', { of: count })
      : hits.length === 0
        ? t('node.log.none')
        : t('node.log.found', { at: number(at + 1), count: hits.length, of: count });

  const without = timed ? sameDigits(text.times.map(Date.parse), now) : 0;
  const digits = String(text.numbers.at(-1) ?? 1).length;
  const widest = Math.min(text.longest, longestLine) + digits + 6 + (timed ? timeWidth(without) : 0);
  const items = virtual.getVirtualItems();
  // Of the numbers one is reached by Tab; from there arrows go up and down.
  const rover = items.some((i) => text.numbers[i.index] === marked)
    ? text.indexOf(marked as number)
    : (virtual.range?.startIndex ?? 0);
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
            onChange={(e) => onWanted(e.target.value)}
            onKeyDown={(e) => {
              if (e.key === 'Enter') {
                e.preventDefault();
                step(e.shiftKey ? 1 : -1);
              } else if (e.key === 'Escape' && wanted !== '') {
                e.preventDefault();
                e.stopPropagation();
                onWanted('');
              }
            }}
          />
          {wanted !== '' && (
            <>
              <span className="log-found" role="status">
                {progress}
              </span>
              <IconButton small label={t('node.log.previous')} disabled={hits.length === 0} onClick={() => step(-1)}>
                <span className="turn-up">
                  <Icon name="down" size={14} />
                </span>
              </IconButton>
              <IconButton small label={t('node.log.next')} disabled={hits.length === 0} onClick={() => step(1)}>
                <Icon name="down" size={14} />
              </IconButton>
            </>
          )}
        </div>
        <div className="log-tools">
          {marked !== undefined && <CopyButton text={link(marked)} label={t('node.log.copyLink', { n: marked })} />}
          <Checkbox label={t('node.log.times')} checked={timed} onChange={(e) => setTimed(e.target.checked)} />
          <Checkbox label={t('node.log.wrap')} checked={wrap} onChange={(e) => setWrap(e.target.checked)} />
          {tools}
        </div>
      </div>
      {[log.error, search.error].map(
        (error, i) => error !== undefined && error !== null && <ErrorBox key={i} error={error} retry={log.retry} />,
      )}
      {text.start > 0 && (
        <div className="log-older">
          <Button kind="quiet" small busy={log.loading === 'older'} onClick={log.older}>
            {t('node.log.older', { size: number(Math.ceil(text.start / 1024)) })}
          </Button>
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
            data-virtual
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
                minWidth: wrap ? undefined : `calc(${widest}ch + 24px)`,
              }}
            >
              {items.map((item) => (
                <div
                  key={item.key}
                  data-index={item.index}
                  ref={wrap ? virtual.measureElement : undefined}
                  className={text.numbers[item.index] === marked ? 'log-line log-hit' : 'log-line'}
                  style={{ transform: `translateY(${item.start}px)` }}
                >
                  <LineNumber
                    // A row that a carriage return has begun has the number of its line, which is not said twice.
                    number={text.numbers[item.index - 1] === text.numbers[item.index] ? 0 : text.numbers[item.index]}
                    width={digits + 2}
                    marked={text.numbers[item.index] === marked}
                    reached={item.index === rover}
                    onChoose={onLine}
                  />
                  {timed && <LineTime at={text.time(item.index)} without={without} />}
                  <Line
                    text={text}
                    index={item.index}
                    line={text.lines[item.index] ?? ''}
                    edition={text.first}
                    wanted={wanted}
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
              if (log.apart) log.newest();
              setStick(true);
              outer.current?.focus();
            }}
          >
            <Icon name="down" size={14} />
            {t('node.log.newest')}
          </Button>
        )}
      </div>
      {log.apart && (
        <div className="log-older">
          <Button kind="quiet" small busy={log.loading === 'newer'} onClick={log.newer}>
            {t('node.log.newer', { size: number(Math.ceil((log.size - text.next) / 1024)) })}
          </Button>
        </div>
      )}
      <p className="log-foot">
        {log.feed.state === 'live' || log.complete || !log.loaded ? (
          <span className={log.complete ? undefined : 'log-live'} role="status">
            {log.complete ? t('node.log.ended') : log.loaded ? t('node.log.follows') : t('ui.loading')}
          </span>
        ) : (
          <FeedMark feed={log.feed} retry={log.retry} />
        )}
        {log.loaded && <span>{t('node.log.lines', { count: text.lines.length })}</span>}
      </p>
    </div>
  );
}

function LineNumber({
  number,
  width,
  marked,
  reached,
  onChoose,
}: {
  number: number | undefined;
  width: number;
  marked: boolean;
  reached: boolean;
  onChoose: (line: number) => void;
}) {
  const { t } = useI18n();
  const style = { width: `${width}ch` };
  if (!number) return <span className="log-number" style={style} />;
  return (
    <button
      type="button"
      className="log-number"
      style={style}
      tabIndex={reached ? 0 : -1}
      aria-label={t('node.log.line', { n: String(number) })}
      aria-pressed={marked}
      onClick={() => onChoose(number)}
      onKeyDown={(e) => {
        if (e.key !== 'ArrowDown' && e.key !== 'ArrowUp') return;
        e.preventDefault();
        const row = e.currentTarget.closest('.log-line');
        const index = Number(row?.getAttribute('data-index')) + (e.key === 'ArrowDown' ? 1 : -1);
        row?.parentElement?.querySelector<HTMLElement>(`[data-index="${index}"] .log-number`)?.focus();
      }}
    >
      {number}
    </button>
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
