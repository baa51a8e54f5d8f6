/**
 * A line chart as SVG text: deterministic, without a browser. It carries its own background and follows the reader's
 * light or dark preference; lines differ by colour and by marker, and the picture has a title and a description for
 * those who cannot see it.
 */
import { scaleLinear, scaleLog } from "d3-scale";
import {
  line,
  symbol,
  symbolCircle,
  symbolCross,
  symbolDiamond,
  symbolSquare,
  symbolStar,
  symbolTriangle,
  symbolWye,
} from "d3-shape";
import type { SymbolType } from "d3-shape";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** Points measured by others: markers without a line. */
  readonly loose?: boolean;
}

export interface Axis {
  /** With the unit. */
  readonly label: string;
  readonly scale: "linear" | "log";
}

export interface Chart {
  /** A file name's stem, and the prefix of the picture's ids. */
  readonly name: string;
  readonly title: string;
  /** What a reader would see in the picture, in a sentence. */
  readonly description: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

type Scale = ReturnType<typeof scaleLinear<number, number>> | ReturnType<typeof scaleLog<number, number>>;

const WIDTH = 900;
const HEIGHT = 440;
const FRAME = { left: 78, right: 640, top: 48, bottom: 384 };
const LEGEND_X = 660;
const LEGEND_STEP = 22;
const MARKER_AREA = 46;
const MARKERS: readonly SymbolType[] = [
  symbolCircle,
  symbolSquare,
  symbolTriangle,
  symbolDiamond,
  symbolCross,
  symbolStar,
  symbolWye,
];
/** Of a log axis with few powers of ten, these multiples get a tick as well. */
const STEPS = [1, 2, 5];
/** Colours that people with colour blindness tell apart (Okabe and Ito), darker on light and lighter on dark. */
const LIGHT = [
  "#0072b2",
  "#b34700",
  "#00785a",
  "#9c3d79",
  "#6b6400",
  "#2a7fb8",
  "#7a4b00",
  "#444444",
  "#a3002d",
  "#5b3fb5",
  "#00696b",
];
const DARK = [
  "#56b4e9",
  "#ff9d5c",
  "#2fd1a5",
  "#e394c5",
  "#e8dc4a",
  "#9fd4f3",
  "#e0a030",
  "#cccccc",
  "#ff7a94",
  "#b7a3ff",
  "#4fd6d8",
];

/** @throws RangeError for a chart without points */
export function renderChart(chart: Chart): string {
  const points = chart.series.flatMap((series) => series.points);
  if (points.length === 0) throw new RangeError("a chart needs points");
  const x = scaleFor(
    chart.x,
    points.map((point) => point.x),
    [FRAME.left, FRAME.right],
  );
  const y = scaleFor(
    chart.y,
    points.map((point) => point.y),
    [FRAME.bottom, FRAME.top],
  );
  const { name, title, description } = chart;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${name}-title ${name}-desc" font-family="system-ui, Helvetica, Arial, sans-serif" font-size="13">`,
    `<title id="${name}-title">${escaped(title)}</title>`,
    `<desc id="${name}-desc">${escaped(description)}</desc>`,
    `<style>${styles(chart.series.length)}</style>`,
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}"/>`,
    `<text class="ink" x="${FRAME.left}" y="26" font-size="16" font-weight="600">${escaped(title)}</text>`,
    ...xTicks(chart.x, x),
    ...yTicks(chart.y, y),
    `<text class="ink" x="${(FRAME.left + FRAME.right) / 2}" y="${HEIGHT - 12}" text-anchor="middle">${escaped(chart.x.label)}</text>`,
    `<text class="ink" transform="translate(20 ${(FRAME.top + FRAME.bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(chart.y.label)}</text>`,
    ...chart.series.flatMap((series, index) => drawn(series, index, x, y)),
    `</svg>`,
  ].join("\n")}\n`;
}

function styles(count: number): string {
  const colours = (palette: readonly string[]): string =>
    Array.from({ length: count }, (_, i) => `.s${i}{color:${palette[i % palette.length]!}}`).join("");
  return [
    ".page{fill:#fff}.ink{fill:#1f2328}.grid{stroke:#d8dee4}.path{fill:none;stroke:currentColor;stroke-width:2}.mark{fill:currentColor}",
    colours(LIGHT),
    `@media (prefers-color-scheme:dark){.page{fill:#0d1117}.ink{fill:#e6edf3}.grid{stroke:#30363d}${colours(DARK)}}`,
  ].join("");
}

function scaleFor(axis: Axis, values: readonly number[], range: readonly [number, number]): Scale {
  const highest = Math.max(...values);
  if (axis.scale === "linear") return scaleLinear([0, highest * 1.05], range);
  return scaleLog([Math.min(...values) / 1.3, highest * 1.3], range);
}

function ticksOf(axis: Axis, scale: Scale): number[] {
  if (axis.scale === "linear") return scale.ticks(6);
  const [low = 0, high = 0] = scale.domain();
  const powers: number[] = [];
  for (let exponent = Math.floor(Math.log10(low)); exponent <= Math.ceil(Math.log10(high)); exponent++)
    powers.push(exponent);
  const all = (steps: readonly number[]): number[] =>
    powers
      .flatMap((exponent) => steps.map((step) => Number(`${step}e${exponent}`)))
      .filter((tick) => tick >= low && tick <= high);
  const decades = all([1]);
  return decades.length >= 3 ? decades : all(STEPS);
}

function xTicks(axis: Axis, scale: Scale): string[] {
  return ticksOf(axis, scale).map((tick) => {
    const at = rounded(scale(tick));
    return `<line class="grid" x1="${at}" x2="${at}" y1="${FRAME.top}" y2="${FRAME.bottom}"/><text class="ink" x="${at}" y="${FRAME.bottom + 18}" text-anchor="middle">${short(tick)}</text>`;
  });
}

function yTicks(axis: Axis, scale: Scale): string[] {
  return ticksOf(axis, scale).map((tick) => {
    const at = rounded(scale(tick));
    return `<line class="grid" x1="${FRAME.left}" x2="${FRAME.right}" y1="${at}" y2="${at}"/><text class="ink" x="${FRAME.left - 8}" y="${rounded(at + 4)}" text-anchor="end">${short(tick)}</text>`;
  });
}

function drawn({ name, points, loose = false }: Series, index: number, x: Scale, y: Scale): string[] {
  const marker = symbol(MARKERS[index % MARKERS.length], MARKER_AREA).digits(2)() ?? "";
  const path =
    line<Point>(
      (point) => x(point.x),
      (point) => y(point.y),
    ).digits(1)(points) ?? "";
  const legendY = FRAME.top + 8 + index * LEGEND_STEP;
  return [
    `<g class="s${index}">`,
    ...(loose || points.length < 2 ? [] : [`<path class="path" d="${path}"/>`]),
    ...points.map(
      (point) =>
        `<path class="mark" transform="translate(${rounded(x(point.x))} ${rounded(y(point.y))})" d="${marker}"/>`,
    ),
    `<path class="mark" transform="translate(${LEGEND_X} ${legendY})" d="${marker}"/>`,
    `</g>`,
    `<text class="ink" x="${LEGEND_X + 12}" y="${legendY + 4}">${escaped(name)}</text>`,
  ];
}

/** 1500 as 1.5k, 0.01 as 0.01. */
function short(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(6))}M`;
  if (value >= 1e3) return `${Number((value / 1e3).toPrecision(6))}k`;
  return String(Number(value.toPrecision(6)));
}

function rounded(value: number): number {
  return Number(value.toFixed(1));
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
