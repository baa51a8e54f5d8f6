/** The generated types say what the generated ABI says, by the judgement of another mapping: abitype's. */
import assert from "node:assert/strict";
import type {
  AbiParameter,
  AbiParameterToPrimitiveType,
  AbiParametersToPrimitiveTypes,
  ExtractAbiError,
  ExtractAbiErrorNames,
  ExtractAbiEvent,
  ExtractAbiEventNames,
  ExtractAbiFunction,
  ExtractAbiFunctionNames,
} from "abitype";
import { describe, it } from "mocha";
import type { CELL_GROUP_ABI } from "../../chain/generated/cell-group-abi.ts";
import type { CellGroupErrors, CellGroupEvents, CellGroupFunctions } from "../../chain/generated/cell-group.ts";
import type { VERISUM_ABI } from "../../chain/generated/verisum-abi.ts";
import type { VerisumErrors, VerisumEvents, VerisumFunctions } from "../../chain/generated/verisum.ts";

/**
 * Both directions: neither says more than the other. Integers are compared as integers, since abitype has the small
 * ones as numbers.
 */
type Same<A, B> = [Plain<A>] extends [Plain<B>] ? ([Plain<B>] extends [Plain<A>] ? true : never) : never;
type Plain<T> = T extends bigint | number ? bigint : T extends object ? { readonly [K in keyof T]: Plain<T[K]> } : T;

/** Named parameters as an object. */
type Named<P extends readonly AbiParameter[]> = {
  readonly [I in P[number] as I["name"] & string]: AbiParameterToPrimitiveType<I>;
};

type Verisum = typeof VERISUM_ABI;
type CellGroup = typeof CELL_GROUP_ABI;
type AnyAbi = Verisum | CellGroup;

type EventsOf<A extends AnyAbi> = { readonly [N in ExtractAbiEventNames<A>]: Named<ExtractAbiEvent<A, N>["inputs"]> };
type ErrorsOf<A extends AnyAbi> = { readonly [N in ExtractAbiErrorNames<A>]: Named<ExtractAbiError<A, N>["inputs"]> };
type InputsOf<A extends AnyAbi> = {
  readonly [N in ExtractAbiFunctionNames<A>]: AbiParametersToPrimitiveTypes<ExtractAbiFunction<A, N>["inputs"]>;
};
type GeneratedInputs<F extends { readonly [N in keyof F]: { readonly inputs: unknown } }> = {
  readonly [N in keyof F]: F[N]["inputs"];
};
/** A single result as it is, several by name. */
type OutputsOf<A extends AnyAbi> = {
  readonly [N in ExtractAbiFunctionNames<A>]: ExtractAbiFunction<A, N>["outputs"] extends readonly []
    ? undefined
    : ExtractAbiFunction<A, N>["outputs"] extends readonly [infer Only extends AbiParameter]
      ? AbiParameterToPrimitiveType<Only>
      : Named<ExtractAbiFunction<A, N>["outputs"]>;
};
type GeneratedOutputs<F extends { readonly [N in keyof F]: { readonly output: unknown } }> = {
  readonly [N in keyof F]: F[N]["output"];
};

describe("the generated types", () => {
  it("are abitype's of the generated ABI; another one does not compile", () => {
    const same: readonly [
      Same<VerisumEvents, EventsOf<Verisum>>,
      Same<VerisumErrors, ErrorsOf<Verisum>>,
      Same<GeneratedInputs<VerisumFunctions>, InputsOf<Verisum>>,
      Same<GeneratedOutputs<VerisumFunctions>, OutputsOf<Verisum>>,
      Same<CellGroupEvents, EventsOf<CellGroup>>,
      Same<CellGroupErrors, ErrorsOf<CellGroup>>,
      Same<GeneratedInputs<CellGroupFunctions>, InputsOf<CellGroup>>,
      Same<GeneratedOutputs<CellGroupFunctions>, OutputsOf<CellGroup>>,
    ] = [true, true, true, true, true, true, true, true];
    assert.ok(same.every((each) => each));
  });
});
