/** Thread of `fl dp`: some questions take seconds. */
import { answerOnce } from "../command/thread-answer.ts";
import { accountAnswer, noiseAnswer } from "./privacy-commands.ts";
import type { PrivacyFlags, PrivacyQuestion } from "./privacy-flags.ts";

answerOnce(({ question, flags }: { readonly question: PrivacyQuestion; readonly flags: PrivacyFlags }) =>
  question === "account" ? accountAnswer(flags) : noiseAnswer(flags),
);
