import { memo } from 'react';
import { useI18n } from '../i18n';
import { Icon, StateShape, span } from '../ui';
import { lookOf, plainName, type Tree } from './model';
import { type RunStore, useNodeState } from './store';
import type { Lane, Piece } from './timeline';
import './lane.css';

// About how wide a letter is.
const letter = 6.6;

/** The lane of one node: its name, what it did when, and how long it usually takes. */
export const LaneRow = memo(function LaneRow({
  lane,
  tree,
  store,
  start,
  perPixel,
  names,
  now,
  threshold,
  track,
  usual,
  critical,
  tabStop,
  onFocus,
  onFold,
  onSelect,
}: {
  lane: Lane;
  tree: Tree;
  store: RunStore;
  start: number;
  perPixel: number;
  /** The width of the names in pixels. */
  names: number;
  /** The end of what goes on; 0 when nothing does. */
  now: number;
  threshold: number;
  /** The width of the lane in pixels, without the name. */
  track: number;
  /** How long the node takes in most runs, in milliseconds, where that is known. */
  usual: number | undefined;
  /** The node is on the critical path, and that is shown. */
  critical: boolean;
  tabStop: boolean;
  onFocus: (index: number) => void;
  onFold: (lane: Lane, open: boolean) => void;
  onSelect: (index: number) => void;
}) {
  const { t } = useI18n();
  const state = useNodeState(store, lane.index);
  const node = tree.node.get(lane.index);
  const name = plainName(node?.name ?? '') || t('ui.noName');
  const long = (p: Piece) => (p.to ?? now) - p.from;
  const words = (p: Piece) => {
    const length = { span: span(long(p), t) };
    if (p.kind === 'idle') return t(p.gap ? `task.time.gap.${p.gap}` : 'task.time.gap', length);
    if (p.to !== undefined && isWait(p.kind)) return t(`task.time.was.${p.kind}`, length);
    const kind = t(p.kind === 'failed' && p.to === undefined ? 'task.time.stuck' : `task.time.${p.kind}`);
    return t('task.time.piece', { kind, ...length });
  };
  const tries = lane.pieces.filter((p) => p.broke).length;

  // Of the attempt that the state is about.
  const began = state?.started_at ? Date.parse(state.started_at) : undefined;
  const took = began === undefined ? 0 : (state?.finished_at ? Date.parse(state.finished_at) : now) - began;
  const mostly = usual === undefined ? '' : usual < 1000 ? t('task.time.moment') : span(usual, t);
  const compared =
    usual !== undefined && began !== undefined && Math.max(took, usual) >= 1000
      ? t('task.time.usual', { span: span(took, t), usual: mostly })
      : undefined;
  const markAt =
    compared && began !== undefined && usual !== undefined ? (began + usual - start) / perPixel : track + 1;

  const last = lane.pieces.at(-1);
  const lastWords = last ? words(last) : '';
  const lastFits = last !== undefined && fits(Math.max(3, long(last) / perPixel), lastWords);
  const plain = last && !lastFits && long(last) >= 1000 ? span(long(last), t) : '';
  const besideUsual = compared && lastFits ? t('usual.task', { usual: mostly }) : compared;
  const beside = besideUsual ?? plain;
  const ends = last ? (last.from + long(last) - start) / perPixel : 0;
  const begins = lane.pieces[0] ? (lane.pieces[0].from - start) / perPixel : 0;
  const wide = beside.length * letter + 12;
  const side = ends + wide <= track ? 'right' : begins >= wide ? 'left' : undefined;

  const told = lane.pieces.slice(-12).map(words).join(', ');
  const label = [t('task.time.lane', { name, pieces: told })];
  if (compared) label.push(t('usual.task', { usual: mostly }));
  if (critical) label.push(t('task.time.criticalOn'));
  return (
    <>
      <div
        className="time-name"
        style={{ width: names, paddingLeft: 4 + Math.min(lane.level - 1, 8) * (names < 200 ? 4 : 12) }}
      >
        {lane.open === undefined ? (
          <span className="outline-gap" />
        ) : (
          <button
            type="button"
            tabIndex={-1}
            className={lane.open ? 'time-fold outline-open' : 'time-fold'}
            aria-label={`${t(lane.open ? 'task.graph.fold' : 'task.graph.unfold')}: ${name}`}
            aria-expanded={lane.open}
            onClick={() => onFold(lane, !lane.open)}
          >
            <Icon name="right" size={12} />
          </button>
        )}
        <button
          type="button"
          className="time-open"
          data-lane={lane.index}
          tabIndex={tabStop ? 0 : -1}
          title={compared ? `${name}\n${compared}` : name}
          aria-label={label.join('; ')}
          onFocus={() => onFocus(lane.index)}
          onClick={() => onSelect(lane.index)}
        >
          <StateShape look={lookOf(state)} size={13} />
          <bdi>{name}</bdi>
          {tries > 1 && <span className="time-tries">×{tries}</span>}
        </button>
      </div>
      <div className="time-track" aria-hidden="true">
        {lane.pieces.map((piece) => {
          const w = Math.max(piece.kind === 'idle' ? 0 : 3, long(piece) / perPixel);
          // Where there is no room beside it, what is usual stands in the piece itself.
          const inside = piece === last && besideUsual !== undefined && !side && lastFits;
          const text = inside ? `${words(piece)} · ${besideUsual}` : words(piece);
          const shown = fits(w, text) ? text : words(piece);
          const worth = piece.kind === 'ran' || long(piece) >= threshold;
          return (
            <div
              key={`${piece.from} ${piece.kind}`}
              className={`piece piece-${piece.kind}${piece.broke ? ' piece-broke' : ''}${piece.to === undefined ? ' piece-going' : ''}`}
              style={{ left: names + (piece.from - start) / perPixel, width: w }}
              title={piece === last && compared ? `${words(piece)}\n${compared}` : words(piece)}
            >
              {worth && fits(w, shown) && <span className="piece-label">{shown}</span>}
            </div>
          );
        })}
        {markAt <= track && (
          <div className="time-usual" style={{ left: names + markAt }} title={compared}>
            <span />
          </div>
        )}
        {beside !== '' && side && (
          <span
            className={`piece-after piece-after-${side}`}
            style={side === 'right' ? { left: names + ends } : { right: `calc(100% - ${names + begins}px)` }}
          >
            {beside}
          </span>
        )}
      </div>
    </>
  );
});

// What does not fit is left to the tip.
function fits(width: number, text: string): boolean {
  return width > 14 + text.length * letter;
}

function isWait(kind: Piece['kind']): kind is 'queued' | 'waited' | 'callback' | 'person' | 'child' {
  return kind === 'queued' || kind === 'waited' || kind === 'callback' || kind === 'person' || kind === 'child';
}
