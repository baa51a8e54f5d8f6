/** Before any schema is made: the page's policy allows no code made of text. */
import { z } from "zod";

z.config({ jitless: true });
