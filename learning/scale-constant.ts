/** What values are divided by, on their way into a model. */
import { z } from "zod";

/** The smallest that 32-bit floats hold without losing digits: divided by less, ordinary values would be infinite. */
const LEAST_SCALE = 2 ** -126;

export const scaleConstant = z.number().min(LEAST_SCALE);
