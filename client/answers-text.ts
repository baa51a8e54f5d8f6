/** Words that reports and pages share. */

/** Of a task or of data, by its number of classes: 0 where numbers are to be predicted, null where it is not known. */
export function answersText(classes: number | null): string {
  if (classes === null) return "?";
  return classes === 0 ? "a number to predict" : `${classes} classes`;
}
