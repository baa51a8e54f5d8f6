/** Every kind of layer. To add one: a file beside this one, and its entry here. */
import { z } from "zod";
import { activation } from "./activation.ts";
import { convolution } from "./convolution.ts";
import { averagePooling } from "./average-pooling.ts";
import { convolution1d } from "./convolution-1d.ts";
import { dense } from "./dense.ts";
import { dropout } from "./dropout.ts";
import { embedding } from "./embedding.ts";
import { flatten } from "./flatten.ts";
import { globalAveragePooling } from "./global-average-pooling.ts";
import { groupNormalisation } from "./group-normalisation.ts";
import type { Layer } from "./layer.ts";
import { layerNormalisation } from "./layer-normalisation.ts";
import { maxPooling } from "./max-pooling.ts";

export const LAYER_KINDS = [
  dense,
  convolution,
  maxPooling,
  flatten,
  activation,
  layerNormalisation,
  groupNormalisation,
  convolution1d,
  averagePooling,
  globalAveragePooling,
  embedding,
  dropout,
] as const;

type SchemasOf<Kinds> = { -readonly [I in keyof Kinds]: Kinds[I] extends { readonly schema: infer S } ? S : never };

/** One layer as a model's description writes it. */
export const layerSchema = z.discriminatedUnion(
  "kind",
  LAYER_KINDS.map(({ schema }) => schema) as unknown as SchemasOf<typeof LAYER_KINDS>,
);
export type LayerDescription = z.input<typeof layerSchema>;

/** A layer with its options' defaults filled in. */
export type LayerOptions = z.output<typeof layerSchema>;

/** A layer of a model, with the name of its kind and what it was made of. */
export interface NamedLayer extends Layer {
  readonly kind: LayerOptions["kind"];
  readonly options: LayerOptions;
  /** Of one example. */
  readonly inputShape: readonly number[];
}

/**
 * The layer that takes inputs of this shape.
 * @throws MODEL_DESCRIPTION_INVALID if it does not take them
 */
export function buildLayer(description: LayerDescription, inputShape: readonly number[]): NamedLayer {
  const options = layerSchema.parse(description);
  const { build } = LAYER_KINDS.find(({ schema }) => schema.shape.kind.value === options.kind)!;
  // Each kind's `build` takes what its own schema gives, which the list's type cannot say.
  const layer = (build as (options: object, inputShape: readonly number[]) => Layer)(options, inputShape);
  return { kind: options.kind, options, inputShape, ...layer };
}
