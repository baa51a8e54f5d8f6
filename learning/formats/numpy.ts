/** Arrays that NumPy wrote. */
import { openNpy, openNpz } from "../tables/numpy-table.ts";
import { tableFormat } from "./table.ts";

export const npz = tableFormat({
  name: "NumPy archive",
  scheme: "npz",
  sources: "file.npz with arrays of equally many rows, or with x_train, y_train, x_test and y_test",
  endings: [".npz"],
  options: {},
  open: openNpz,
});

export const npy = tableFormat({
  name: "NumPy array",
  scheme: "npy",
  sources: "file.npy with an array of rows, or a folder with train.npy and test.npy",
  endings: [".npy"],
  options: {},
  open: openNpy,
});
