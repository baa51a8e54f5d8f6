/** Tables and lists of pairs, which scroll sideways where the window is narrow. */
import { useState } from "react";
import type { ReactNode } from "react";

/** A column's heading; numbers stand to the right. */
export type Column = string | { readonly number: string };

export interface TableProps {
  readonly columns: readonly Column[];
  readonly className?: string;
  /** Rows. */
  readonly children: ReactNode;
}

export function Table({ columns, className, children }: TableProps): ReactNode {
  return (
    <div className="scroll">
      <table className={className}>
        <thead>
          <tr>
            {columns.map((column) =>
              typeof column === "string" ? (
                <th key={column} scope="col">
                  {column}
                </th>
              ) : (
                <th key={column.number} scope="col" className="number">
                  {column.number}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

/**
 * A list of which the first are shown until somebody asks for the others.
 * @param all names the whole list, as `30 clients`
 * @returns what is shown now, and the button that changes it
 */
export function useShortened<T>(list: readonly T[], most: number, all: string): readonly [readonly T[], ReactNode] {
  const [isAll, setAll] = useState(false);
  const button =
    list.length <= most ? null : (
      <button type="button" className="plain" aria-expanded={isAll} onClick={() => setAll(!isAll)}>
        {isAll ? "Show fewer" : `Show all ${all}`}
      </button>
    );
  return [isAll ? list : list.slice(0, most), button];
}

/** One entry of a list of particulars or figures. */
export function Pair({
  name,
  className,
  children,
}: {
  readonly name: string;
  readonly className?: string;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <div className={className}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
