/** Charts over rounds: lines or stacked bars, to be read with a pointer, with arrow keys, or as a table. */
import { useId, useState } from "react";
import type { KeyboardEvent, PointerEvent, ReactNode } from "react";
import { scaleOf, thinned } from "./scale.ts";
import type { Scale } from "./scale.ts";

export interface Series {
  readonly name: string;
  /** By round; null where there is none. */
  readonly values: readonly (number | null)[];
}

export interface ChartProps {
  readonly title: string;
  /** What a reader should know before believing it. */
  readonly note?: string;
  readonly kind: "line" | "bars";
  readonly rounds: readonly number[];
  readonly series: readonly Series[];
  /** A value that is not to be passed, drawn across. */
  readonly limit?: { readonly name: string; readonly value: number };
  readonly format: (value: number) => string;
}

const WIDTH = 480;
const HEIGHT = 190;
const EDGE = { left: 52, right: 10, top: 10, bottom: 24 };
const MOST_LABELS = 8;

export function Chart({ title, note, kind, rounds, series, limit, format }: ChartProps): ReactNode {
  const [chosen, setChosen] = useState<number>();
  const id = useId();
  const known = series.flatMap(({ values }) => values.filter((value) => value !== null));
  if (known.length === 0) return <EmptyChart title={title} />;
  const sums = rounds.map((_, i) => series.reduce((sum, { values }) => sum + (values[i] ?? 0), 0));
  const most = Math.max(...(kind === "bars" ? sums : known), limit?.value ?? -Infinity);
  const y = scaleOf(Math.min(0, ...known), most, HEIGHT - EDGE.bottom, EDGE.top);
  const band = (WIDTH - EDGE.left - EDGE.right) / rounds.length;
  const x = (i: number): number => EDGE.left + (i + 0.5) * band;
  const last = rounds.length - 1;
  // The present round has no figures yet.
  const latest = rounds.findLastIndex((_, i) => series.some(({ values }) => values[i] !== null));
  const at = Math.min(chosen ?? latest, last);
  const choose = ({ clientX, currentTarget }: PointerEvent<SVGSVGElement>): void => {
    const { left, width } = currentTarget.getBoundingClientRect();
    const place = ((clientX - left) / width) * WIDTH;
    setChosen(Math.max(0, Math.min(last, Math.floor((place - EDGE.left) / band))));
  };
  const step = (event: KeyboardEvent): void => {
    const moved = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (moved === undefined) return;
    event.preventDefault();
    setChosen(Math.max(0, Math.min(last, moved)));
  };
  return (
    <figure className="chart">
      <figcaption id={id}>
        <h3>{title}</h3>
        {note === undefined ? null : <p>{note}</p>}
      </figcaption>
      <p className="reading" aria-live="off">
        <span>Round {rounds[at]}</span>
        {series.map(({ name, values }, i) => (
          <span key={name} className={`series-${i}`}>
            <i aria-hidden="true" />
            {name} <b>{values[at] === null || values[at] === undefined ? "–" : format(values[at])}</b>
          </span>
        ))}
      </p>
      {/* A chart is read with arrow keys, as a slider is. */}
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="slider"
        tabIndex={0}
        aria-labelledby={id}
        aria-valuemin={rounds[0]}
        aria-valuemax={rounds[last]}
        aria-valuenow={rounds[at]}
        aria-valuetext={`Round ${rounds[at]}: ${series.map(({ name, values }) => `${name} ${textOf(values[at], format)}`).join(", ")}`}
        onPointerMove={choose}
        onPointerDown={choose}
        onPointerLeave={() => setChosen(undefined)}
        onKeyDown={step}
      >
        <Axes y={y} rounds={rounds} x={x} format={format} />
        <rect
          className="chosen"
          x={x(at) - band / 2}
          y={EDGE.top}
          width={band}
          height={HEIGHT - EDGE.top - EDGE.bottom}
        />
        {limit === undefined ? null : <Limit y={y.at(limit.value)} name={limit.name} />}
        {kind === "line"
          ? series.map((one, i) => <Line key={one.name} values={one.values} index={i} x={x} y={y} />)
          : rounds.map((round, i) => <Bar key={round} series={series} at={i} x={x(i)} width={band * 0.68} y={y} />)}
      </svg>
    </figure>
  );
}

function textOf(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? "unknown" : format(value);
}

function EmptyChart({ title }: { readonly title: string }): ReactNode {
  return (
    <figure className="chart empty">
      <figcaption>
        <h3>{title}</h3>
      </figcaption>
      <p>Nothing to show yet.</p>
    </figure>
  );
}

interface AxesProps {
  readonly y: Scale;
  readonly rounds: readonly number[];
  readonly x: (i: number) => number;
  readonly format: (value: number) => string;
}

function Axes({ y, rounds, x, format }: AxesProps): ReactNode {
  return (
    <g className="axes" aria-hidden="true">
      {y.ticks.map((tick) => (
        <g key={tick}>
          <line x1={EDGE.left} x2={WIDTH - EDGE.right} y1={y.at(tick)} y2={y.at(tick)} />
          <text x={EDGE.left - 8} y={y.at(tick) + 4} textAnchor="end">
            {format(tick)}
          </text>
        </g>
      ))}
      {thinned(rounds, MOST_LABELS).map((round) => (
        <text key={round} x={x(rounds.indexOf(round))} y={HEIGHT - 6} textAnchor="middle">
          {round}
        </text>
      ))}
    </g>
  );
}

function Limit({ y, name }: { readonly y: number; readonly name: string }): ReactNode {
  return (
    <g className="limit" aria-hidden="true">
      <line x1={EDGE.left} x2={WIDTH - EDGE.right} y1={y} y2={y} />
      <text x={WIDTH - EDGE.right} y={y + 14} textAnchor="end">
        {name}
      </text>
    </g>
  );
}

interface LineProps {
  readonly values: readonly (number | null)[];
  readonly index: number;
  readonly x: (i: number) => number;
  readonly y: Scale;
}

/** Where a value is missing the line is broken; dots are drawn where there are few. */
function Line({ values, index, x, y }: LineProps): ReactNode {
  let path = "";
  let isDown = false;
  for (const [i, value] of values.entries()) {
    if (value !== null) path += `${isDown ? "L" : "M"}${x(i).toFixed(1)} ${y.at(value).toFixed(1)}`;
    isDown = value !== null;
  }
  return (
    <g className={`series-${index}`}>
      <path className="line" d={path} />
      {values.length > 40
        ? null
        : values.map((value, i) => (value === null ? null : <circle key={i} cx={x(i)} cy={y.at(value)} r="2.6" />))}
    </g>
  );
}

interface BarProps {
  readonly series: readonly Series[];
  readonly at: number;
  readonly x: number;
  readonly width: number;
  readonly y: Scale;
}

function Bar({ series, at, x, width, y }: BarProps): ReactNode {
  let below = 0;
  return series.map(({ name, values }, i) => {
    const value = values[at] ?? 0;
    const [bottom, top] = [y.at(below), y.at(below + value)];
    below += value;
    return (
      <rect
        key={name}
        className={`series-${i}`}
        x={x - width / 2}
        width={width}
        y={top}
        height={Math.max(0, bottom - top)}
      />
    );
  });
}

/** A line without axes, beside text that says the same. */
export function Sparkline({ values }: { readonly values: readonly number[] }): ReactNode {
  if (values.length < 2) return null;
  const y = scaleOf(Math.min(...values), Math.max(...values), 26, 3);
  const points = values.map(
    (value, i) => `${((i / (values.length - 1)) * 116 + 2).toFixed(1)},${y.at(value).toFixed(1)}`,
  );
  return (
    <svg className="sparkline series-0" viewBox="0 0 120 30" aria-hidden="true">
      <polyline className="line" points={points.join(" ")} />
    </svg>
  );
}
