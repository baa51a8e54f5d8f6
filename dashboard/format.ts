/** Numbers and times as the reader's language writes them. */
import type { TaskSnapshot } from "../indexer/api/schema.ts";

const LANGUAGES = navigator.languages;

const whole = new Intl.NumberFormat(LANGUAGES, { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat(LANGUAGES, { notation: "compact", maximumSignificantDigits: 3 });
const significant = new Intl.NumberFormat(LANGUAGES, { maximumSignificantDigits: 3 });
const share = new Intl.NumberFormat(LANGUAGES, {
  style: "percent",
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});
const moment = new Intl.DateTimeFormat(LANGUAGES, { dateStyle: "medium", timeStyle: "short" });
const clock = new Intl.DateTimeFormat(LANGUAGES, { timeStyle: "medium" });
const ago = new Intl.RelativeTimeFormat(LANGUAGES, { numeric: "auto", style: "short" });

export const count = (value: number): string => whole.format(value);
export const short = (value: number): string => compact.format(value);
export const number = (value: number): string => significant.format(value);
export const percent = (value: number): string => share.format(value);

/** @param seconds Unix seconds */
export const dateAndTime = (seconds: number): string => moment.format(seconds * 1000);
export const timeOfDay = (seconds: number): string => clock.format(seconds * 1000);

/** `3 min ago`. @param seconds since then */
export function since(seconds: number): string {
  if (seconds < 60) return ago.format(-Math.round(seconds), "second");
  if (seconds < 3600) return ago.format(-Math.round(seconds / 60), "minute");
  if (seconds < 86_400) return ago.format(-Math.round(seconds / 3600), "hour");
  return ago.format(-Math.round(seconds / 86_400), "day");
}

/** A length of time on a clock: `1:04`, `2:03:59`. */
export function onClock(seconds: number): string {
  const left = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** `42 s`, `3.5 min`. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${number(seconds)} s`;
  if (seconds < 5400) return `${number(seconds / 60)} min`;
  return `${number(seconds / 3600)} h`;
}

/** `1.5 MiB`. */
export function bytes(size: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  const step = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, size)) / 10));
  return `${number(size / 1024 ** step)} ${units[step]}`;
}

/** `ε 1.2 of 2`, of the plain accountant. */
export function spentOf({ epsilon: { rdp } }: NonNullable<TaskSnapshot["privacy"]>): string {
  return `ε ${number(rdp.spent)} of ${number(rdp.budget)}`;
}

/** The ends of a long identifier: `0x1234…cdef`. */
export function shortened(text: string): string {
  return text.length <= 14 ? text : `${text.slice(0, text.startsWith("0x") ? 6 : 8)}…${text.slice(-4)}`;
}

/** `1 round`, `3 rounds`. */
export function counted(value: number, one: string): string {
  return `${count(value)} ${one}${value === 1 ? "" : "s"}`;
}

/** A text in which moments stand as `2026-01-31T12:00:00Z`, with the reader's dates and times in their place. */
export function inLocalTime(text: string): string {
  return text.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (moment) => {
    const seconds = Date.parse(moment) / 1000;
    const isToday = new Date(moment).toDateString() === new Date().toDateString();
    return isToday ? timeOfDay(seconds) : dateAndTime(seconds);
  });
}
