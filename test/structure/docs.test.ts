import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { ERRORS } from "../../protocol/errors.ts";
import { TEST_GROUPS } from "../../scripts/testing/plan.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const { ROOMS } = (await import(new URL("../../scripts/lint/rooms.js", import.meta.url).href)) as {
  readonly ROOMS: Readonly<Record<string, unknown>>;
};
const PAGES = globSync(["*.md", "docs/*.md"], { cwd: ROOT });

const FOLDERS = [...Object.keys(ROOMS), "circuits", "contracts", "data", "docs", "tasks"];
/** A path from the root into one of the project's folders. */
const IN_A_FOLDER = new RegExp(`^(?:${FOLDERS.join("|")})/[\\w./-]*$`);

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
/** The words of a page's code, inline and in blocks. */
const codeIn = (page: string): string[] =>
  [...read(page).matchAll(/```[^]*?```|`([^`]+)`/g)].flatMap(([block, inline]) => (inline ?? block).split(/\s+/));
/** What a heading is called in a link. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} -]/gu, "")
    .replaceAll(" ", "-");
/** One kind of minus and single spaces, so that typography is no difference. */
const plain = (text: string): string => text.replaceAll("−", "-").replaceAll(/\s+/g, " ").trim();

/** Fewer literal characters than this name no test. */
const SHORTEST_TITLE = 5;

/** A test's title as its source has it; what stands in `${…}` is cut into parts. */
type Title = readonly string[];

function titlesIn(path: string): Title[] {
  return [...read(path).matchAll(/\b(?:it|describe)\(\s*(["`])((?:\\.|(?!\1)[^\\])*)\1/g)].map(([, quote, title]) =>
    (quote === "`" ? title!.split(/\$\{[^}]*\}/) : [title!]).map((part) =>
      part.replaceAll(/\\(.)/g, "$1").replaceAll("−", "-"),
    ),
  );
}

/** Whether a document's title, in which … stands for anything, can be this test's. */
function names(title: Title, named: string): boolean {
  if (title.join("").trim().length < SHORTEST_TITLE) return false;
  const shortened = named.endsWith("…");
  const start = plain(named.replace("…", ""));
  const [first = ""] = title;
  if (shortened && title.length === 1) return plain(first).startsWith(start);
  if (shortened) return first.startsWith(start) || (first.trim() !== "" && start.startsWith(first.trim()));
  return new RegExp(`^${title.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*")}$`).test(start);
}

/** Pairs of a test file and a title, written `file`, *title*, *title*  or  *title* in `file`. */
function namedTests(page: string): [string, string][] {
  const text = read(page).replaceAll(/\s+/g, " ");
  const after = [...text.matchAll(/`(test\/[^`]+\.test\.ts)`((?:,? (?:and )?\*[^*]+\*)*)/g)].flatMap(([, file, list]) =>
    [...list!.matchAll(/\*([^*]+)\*/g)].map(([, title]): [string, string] => [file!, title!]),
  );
  const before = [...text.matchAll(/\*([^*]+)\* in `(test\/[^`]+\.test\.ts)`/g)].map(
    ([, title, file]): [string, string] => [file!, title!],
  );
  return [...after, ...before];
}

describe("the documents", () => {
  for (const page of PAGES) {
    it(`${page} names only files and links that exist`, () => {
      const files = codeIn(page).filter((word) => IN_A_FOLDER.test(word));
      const links = [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) =>
        join(dirname(page), path!),
      );
      assert.deepEqual(
        [...files, ...links].filter((path) => !existsSync(join(ROOT, path))),
        [],
      );
    });

    it(`${page} links only to headings that exist`, () => {
      const links = [...read(page).matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)].map(
        ([, path, anchor]): [string, string] => [path === "" ? page : join(dirname(page), path!), anchor!],
      );
      const missing = links.filter(([path, anchor]) => {
        const headings = [...read(path).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading!));
        return !headings.includes(anchor);
      });
      assert.deepEqual(missing, []);
    });

    it(`${page} names only groups of tests that exist`, () => {
      const groups = codeIn(page)
        .join(" ")
        .matchAll(/npm test -- ([a-z][a-z-]*)/g);
      assert.deepEqual(
        [...groups].map(([, name]) => name!).filter((name) => ![...TEST_GROUPS, "checks"].includes(name)),
        [],
      );
    });

    it(`${page} names only commands that package.json has`, () => {
      const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
      const commands = [...read(page).matchAll(/npm run (?:--silent )?([a-z][a-z:-]*[a-z])/g)].map(([, name]) => name!);
      assert.deepEqual(
        commands.filter((name) => scripts[name] === undefined),
        [],
      );
    });
  }

  for (const page of ["docs/threats.md", "docs/protocol.md"]) {
    it(`${page} names only tests that exist`, () => {
      const tests = namedTests(page);
      assert.ok(tests.length > 10);
      const missing = tests.filter(
        ([file, title]) =>
          !existsSync(join(ROOT, file)) || !titlesIn(file).some((candidate) => names(candidate, title)),
      );
      assert.deepEqual(missing, []);
    });
  }

  it("name a test in every row of the threats that are met", () => {
    const met = read("docs/threats.md").split("## Open")[0]!;
    const rows = met.split("\n").filter((line) => /^\| [A-Z]\d/.test(line));
    assert.ok(rows.length > 40);
    assert.deepEqual(
      rows.filter((line) => !/`test\/[^`]+\.test\.ts`/.test(line)),
      [],
    );
  });

  it("explain every error code", () => {
    const page = read("docs/errors.md");
    assert.deepEqual(
      Object.keys(ERRORS).filter((code) => !page.includes(`| \`${code}\` |`)),
      [],
    );
  });

  it("would notice a test that does not exist", () => {
    const titles = titlesIn("test/structure/docs.test.ts");
    assert.equal(
      titles.some((title) => names(title, "would notice a test that does not exist")),
      true,
    );
    assert.equal(
      titles.some((title) => names(title, "would notice a test that is not here")),
      false,
    );
    assert.equal(
      titles.some((title) => names(title, "would never …")),
      false,
    );
  });
});
