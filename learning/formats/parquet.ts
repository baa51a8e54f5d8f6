/** Parquet, as pandas, Polars, Spark and DuckDB write it. */
import { openParquet } from "../tables/parquet-table.ts";
import { tableFormat } from "./table.ts";

export const parquet = tableFormat({
  name: "Parquet",
  scheme: "parquet",
  sources: "file.parquet, or a folder with train.parquet and test.parquet",
  endings: [".parquet"],
  options: {},
  open: (path) => openParquet(path),
});
