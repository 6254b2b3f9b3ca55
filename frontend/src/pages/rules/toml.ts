/**
 * The part of TOML 1.0 in which rules are written: what the guided form reads, and where each key stands.
 * The service has the last word on every rule; what this reader does not know it refuses, and the rule is
 * then edited as text only.
 */

export type Toml = string | number | boolean | Toml[] | TomlTable;
export interface TomlTable {
  [key: string]: Toml;
}

export class TomlError extends Error {
  constructor(
    readonly line: number,
    message: string,
  ) {
    super(message);
  }
}

export interface TomlDocument {
  table: TomlTable;
  /** Line (from 1) of each key by its path as the service writes it: "if.all[0].attribute". */
  lines: Map<string, number>;
}

const BARE_KEY = /[A-Za-z0-9_-]+/y;
const NUMBER = /[+-]?(?:0|[1-9](?:_?\d)*)(?:\.\d(?:_?\d)*)?(?:[eE][+-]?\d+)?(?![\w:.-])/y;
const ESCAPES: Record<string, string> = { b: "\b", t: "\t", n: "\n", f: "\f", r: "\r", '"': '"', "\\": "\\", e: "\x1b" };

export function isTable(value: Toml | undefined): value is TomlTable {
  return typeof value === "object" && !Array.isArray(value);
}

export function readToml(text: string): TomlDocument {
  return new Reader(text).document();
}

class Reader {
  private at = 0;
  private readonly table: TomlTable = {};
  private readonly lines = new Map<string, number>();

  constructor(private readonly text: string) {}

  document(): TomlDocument {
    let here = this.table;
    let path = "";
    for (;;) {
      this.skip(true);
      if (this.at >= this.text.length) return { table: this.table, lines: this.lines };
      if (this.peek() === "[") {
        [here, path] = this.header();
      } else {
        this.pair(here, path);
      }
      this.skip(false);
      if (this.at < this.text.length && this.peek() !== "\n") this.fail("Something follows on the same line");
    }
  }

  /** [a.b] or [[a.b]]: the table that the next lines fill, and its path. */
  private header(): [TomlTable, string] {
    const line = this.line();
    const isList = this.text.startsWith("[[", this.at);
    this.at += isList ? 2 : 1;
    const keys = this.keys();
    if (!this.text.startsWith(isList ? "]]" : "]", this.at)) this.fail(`The closing ${isList ? "]]" : "]"} is missing`);
    this.at += isList ? 2 : 1;
    const last = keys.pop() ?? "";
    const [outer, outerPath] = this.descend(this.table, "", keys);
    let path = joined(outerPath, last);
    const known = own(outer, last);
    if (isList) {
      const list = known ?? [];
      if (!Array.isArray(list)) this.fail(`${path} is not a list`);
      const item: TomlTable = {};
      path = `${path}[${list.length}]`;
      list.push(item);
      outer[last] = list;
      this.lines.set(path, line);
      return [item, path];
    }
    if (known !== undefined && !isTable(known)) this.fail(`${path} is not a table`);
    const inner = known ?? {};
    outer[last] = inner;
    this.lines.set(path, line);
    return [inner, path];
  }

  private pair(into: TomlTable, path: string): void {
    const line = this.line();
    const keys = this.keys();
    const last = keys.pop() ?? "";
    const [outer, outerPath] = this.descend(into, path, keys);
    const here = joined(outerPath, last);
    if (own(outer, last) !== undefined) this.fail(`${here} stands here twice`);
    if (this.peek() !== "=") this.fail(`An = is missing after ${here}`);
    this.at += 1;
    this.skip(false);
    this.lines.set(here, line);
    outer[last] = this.value(here);
  }

  private descend(table: TomlTable, path: string, keys: string[]): [TomlTable, string] {
    let here = table;
    let where = path;
    for (const key of keys) {
      where = joined(where, key);
      let next = own(here, key);
      if (Array.isArray(next)) {
        where = `${where}[${next.length - 1}]`;
        next = next.at(-1);
      }
      if (next === undefined) {
        next = {};
        here[key] = next;
      }
      if (!isTable(next)) return this.fail(`${where} is not a table`);
      here = next;
    }
    return [here, where];
  }

  private keys(): string[] {
    const keys: string[] = [];
    for (;;) {
      this.skip(false);
      const quote = this.peek();
      keys.push(quote === '"' || quote === "'" ? this.string() : this.bareKey());
      this.skip(false);
      if (this.peek() !== ".") return keys;
      this.at += 1;
    }
  }

  private bareKey(): string {
    return this.match(BARE_KEY) ?? this.fail("A key is missing");
  }

  private value(path: string): Toml {
    const first = this.peek();
    if (first === '"' || first === "'") return this.string();
    if (first === "[") return this.list(path);
    if (first === "{") return this.inlineTable(path);
    for (const [word, value] of [["true", true], ["false", false]] as const) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    const number = this.match(NUMBER);
    return number === undefined ? this.fail("A value is missing or of a kind that rules do not use") : Number(number.replaceAll("_", ""));
  }

  private list(path: string): Toml[] {
    const items: Toml[] = [];
    this.at += 1;
    for (;;) {
      this.skip(true);
      if (this.peek() === "]") break;
      const here = `${path}[${items.length}]`;
      this.lines.set(here, this.line());
      items.push(this.value(here));
      this.skip(true);
      if (this.peek() !== ",") break;
      this.at += 1;
    }
    if (this.peek() !== "]") this.fail("The closing ] is missing");
    this.at += 1;
    return items;
  }

  private inlineTable(path: string): TomlTable {
    const table: TomlTable = {};
    this.at += 1;
    for (;;) {
      this.skip(true);
      if (this.peek() === "}") break;
      this.pair(table, path);
      this.skip(true);
      if (this.peek() !== ",") break;
      this.at += 1;
    }
    if (this.peek() !== "}") this.fail("The closing } is missing");
    this.at += 1;
    return table;
  }

  private string(): string {
    const quote = this.peek();
    if (this.text.startsWith(quote.repeat(3), this.at)) this.fail("Texts of several lines are not used in rules");
    this.at += 1;
    let value = "";
    for (;;) {
      const char = this.peek();
      if (char === "" || char === "\n") this.fail("The closing quotation mark is missing");
      this.at += 1;
      if (char === quote) return value;
      value += char === "\\" && quote === '"' ? this.escape() : char;
    }
  }

  private escape(): string {
    const kind = this.peek();
    this.at += 1;
    if (kind === "u" || kind === "U") {
      const digits = this.text.slice(this.at, this.at + (kind === "u" ? 4 : 8));
      if (!/^(?:[0-9A-Fa-f]{4}|00(?:0[0-9A-Fa-f]|10)[0-9A-Fa-f]{4})$/.test(digits)) this.fail("An unknown character is escaped");
      this.at += digits.length;
      return String.fromCodePoint(parseInt(digits, 16));
    }
    return ESCAPES[kind] ?? this.fail(`\\${kind} is no escape`);
  }

  /** Over spaces and comments, and over line ends too. */
  private skip(lineEnds: boolean): void {
    for (;;) {
      const char = this.peek();
      if (char === " " || char === "\t" || char === "\r" || (lineEnds && char === "\n")) {
        this.at += 1;
      } else if (char === "#") {
        while (this.at < this.text.length && this.peek() !== "\n") this.at += 1;
      } else {
        return;
      }
    }
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  private peek(): string {
    return this.text.charAt(this.at);
  }

  private line(): number {
    let line = 1;
    for (let place = this.text.indexOf("\n"); place !== -1 && place < this.at; place = this.text.indexOf("\n", place + 1)) {
      line += 1;
    }
    return line;
  }

  private fail(message: string): never {
    throw new TomlError(this.line(), message);
  }
}

/** Keys such as "constructor" are no members of a table unless they were written. */
function own(table: TomlTable, key: string): Toml | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function joined(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

/** A text as TOML writes it. */
export function quoted(text: string): string {
  // Control characters have no other form in TOML than their number.
  // eslint-disable-next-line no-control-regex
  return `"${text.replace(/[\\"]/g, "\\$&").replace(/[\x00-\x1f\x7f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)}"`;
}
