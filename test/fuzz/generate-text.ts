/** Inputs for the builtins that read a text: correct ones, nearly correct ones, and wrong ones. */
import type { Random } from "./random.ts";

/** A Nix string literal. */
export function literal(text: string): string {
  return `"${text.replace(/["\\\n\r\t]|\$\{/g, (c) => ({ '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "${": "\\${" })[c]!)}"`;
}

/** Now and then something is left out, doubled or replaced. */
function damage(r: Random, text: string, alphabet: string): string {
  if (!r.chance(0.25) || text === "") return text;
  const at = r.below(text.length);
  switch (r.below(4)) {
    case 0: return text.slice(0, at) + text.slice(at + 1);
    case 1: return text.slice(0, at) + r.pick([...alphabet]) + text.slice(at);
    case 2: return text.slice(0, at) + r.pick([...alphabet]) + text.slice(at + 1);
    default: return text.slice(0, at);
  }
}

export function regex(r: Random, depth = 3): string {
  const atom = (d: number): string => {
    switch (r.below(d > 0 ? 9 : 6)) {
      case 0: case 1: case 2: return r.pick(["a", "b", "c", "ab", "a", "b"]);
      case 3: return r.pick([".", "[ab]", "[^a]", "[a-c]", "[[:alpha:]]", "[[:digit:]b]", "[]a]", "[a-]", "[b[.a.]]", "[[=b=]]", "[^[:space:]]", "[[:w:]]", "[-a]", "[a^]"]);
      case 4: return r.pick(["\\.", "\\*", "\\(", "\\\\", "\\[", "\\$", "\\{", "1", "-", "x", "é"]);
      case 5: return r.pick(["^", "$", "()", "a", "b", ""]);
      default: return `(${expression(d - 1)})`;
    }
  };
  const piece = (d: number): string => {
    let text = atom(d);
    while (r.chance(0.35)) text += r.pick(["*", "+", "?", "*", "{2}", "{0,2}", "{1,}", "{0}", "{1,3}", "{2,1}"]);
    return text;
  };
  const branch = (d: number): string => Array.from({ length: 1 + r.below(3) }, () => piece(d)).join("");
  const expression = (d: number): string => {
    let text = branch(d);
    while (r.chance(0.3)) text += `|${branch(d)}`;
    return text;
  };
  return damage(r, expression(depth), "ab()[]{}*+?|^$.\\-:=,1");
}

export function subject(r: Random): string {
  return Array.from({ length: r.below(9) }, () => r.pick(["a", "b", "c", "a", "b", "ab", "1", "x", " ", "-", ".", "é"])).join("");
}

export function json(r: Random, depth = 3): string {
  const space = (): string => (r.chance(0.1) ? r.pick([" ", "\n", "\t", "\r", "  "]) : "");
  const text = (): string => `"${Array.from({ length: r.below(4) }, () => r.pick(["a", "b", "é", "\\n", "\\\"", "\\\\", "\\u00e9", "\\ud83d\\ude00", "\\/", "\\t", "😀", " ", "\\u0000", "\\ud800", "\\x", "\t", "\\u12", "/"])).join("")}"`;
  const value = (d: number): string => {
    switch (r.below(d > 0 ? 9 : 6)) {
      case 0: return r.pick(["true", "false", "null", "nul", "True"]);
      case 1: case 2: return number(r);
      case 3: case 4: case 5: return text();
      case 6: case 7: return `{${space()}${Array.from({ length: r.below(4) }, () => `${r.chance(0.7) ? r.pick(['"a"', '"b"', '"x y"', '""']) : text()}${space()}:${space()}${value(d - 1)}`).join(`${space()},${space()}`)}}`;
      default: return `[${Array.from({ length: r.below(4) }, () => value(d - 1)).join(`${space()},${space()}`)}${space()}]`;
    }
  };
  return damage(r, space() + value(depth) + space(), "{}[],:\"\\0-1eE.tfn +/u");
}

export function number(r: Random): string {
  return r.pick([
    "0", "1", "-1", "-0", "42", "007", "1.5", "-2.25", "1e3", "1E-3", "1e400", "-1e400", "1e-400", "0.1", "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
    "-9223372036854775809", "18446744073709551615", "18446744073709551616", "1.0", "100000000000000000000", "1e22", "1.7976931348623157e308", "5e-324", "2.5e-8", "123456789.123456789", ".5", "5.", "1e", "+1", "1e+5", "-", "0x10", "0e0", "-0.0", "-0e1", "1_000",
    String(r.below(1000)), `${r.below(100)}.${r.below(100000)}`, `-${r.below(1000000)}e${r.below(40) - 20}`, `${r.below(100000)}.${r.below(1000)}e-${r.below(20)}`,
  ]);
}

export function toml(r: Random): string {
  const bare = (): string => r.pick(["a", "b", "c", "d-e", "f_1", "1", "-"]);
  const key = (): string => {
    const one = (): string => (r.chance(0.75) ? bare() : r.pick(['"a"', "'b'", '"x.y"', '""', "''", '"\\u00e9"', "'\\n'", "é", '"a\\nb"']));
    return Array.from({ length: r.chance(0.3) ? 1 + r.below(3) : 1 }, one).join(r.pick([".", ".", " . "]));
  };
  const integer = (): string => r.pick(["0", "1", "-1", "+1", "42", "1_000", "0x1f", "0xDEAD_beef", "0o17", "0b1010", "-0", "+0", "01", "1__0", "_1", "1_", "0x", "0xg", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "0x7fffffffffffffff", "0xffffffffffffffff", "+0x1", "0B1"]);
  const float = (): string => r.pick(["1.0", "-1.5", "3.14", "1e3", "1E+3", "-2e-2", "6.26e-34", "1_0.0_1", "inf", "-inf", "+inf", "nan", "+nan", "-nan", "0.0", "-0.0", "1.", ".5", "1e", "1.e3", "1e1.5", "01.5", "1e400", "0e0", "1e-400", "1.0_0", "1._0"]);
  const string = (): string => r.pick(['"a"', "'a'", '""', "''", '"a\\nb"', '"\\u00e9"', '"\\U0001f600"', '"\\ud800"', '"\\x41"', '"\\e"', '"a\\"b"', "'a\\b'", '"""a\nb"""', '"""\na"""', "'''a\nb'''", "'''\n'a''''", '"""a\\\n   b"""', '"""a""b"""', '"""a"""""', '"""a""""""', '"a', "'a", '"""a', '"a\nb"', '"\t"', '"é"', '"\u0001"', '"\\u0000"', '"#"', '"\\b\\f\\r\\t\\\\"']);
  const date = (): string => r.pick(["1979-05-27", "07:32:00", "1979-05-27T07:32:00Z", "1979-05-27 07:32:00", "1979-05-27T00:32:00.999999-07:00", "07:32", "1979-13-01", "1979-05-27T25:00:00"]);
  const value = (d: number): string => {
    switch (r.below(d > 0 ? 12 : 9)) {
      case 0: case 1: return integer();
      case 2: case 3: return float();
      case 4: case 5: case 6: return string();
      case 7: return r.pick(["true", "false", "true", "True", "yes"]);
      case 8: return r.chance(0.3) ? date() : integer();
      case 9: case 10: {
        const items = Array.from({ length: r.below(4) }, () => value(d - 1));
        return `[${r.pick(["", " ", "\n", "# c\n"])}${items.join(r.pick([",", ", ", ",\n", " ,# x\n"]))}${r.chance(0.2) ? "," : ""}${r.pick(["", "", "\n"])}]`;
      }
      default: return `{${r.pick(["", " "])}${Array.from({ length: r.below(3) }, () => `${key()}${r.pick(["=", " = "])}${value(d - 1)}`).join(r.pick([",", ", "]))}${r.pick(["", " ", "", "\n", ","])}}`;
    }
  };
  const line = (): string => {
    const comment = r.chance(0.1) ? " # c" : "";
    if (r.chance(0.25)) return `[${key()}]${comment}`;
    if (r.chance(0.15)) return `[[${key()}]]${comment}`;
    if (r.chance(0.05)) return r.pick(["", "# comment", "   ", "#\t", "\t"]);
    return `${r.pick(["", "", " "])}${key()}${r.pick(["=", " = ", " ="])}${value(2)}${comment}`;
  };
  const text = Array.from({ length: 1 + r.below(5) }, line).join(r.pick(["\n", "\n", "\r\n", "\n\n"])) + r.pick(["", "\n"]);
  return r.chance(0.5) ? text : damage(r, text, "=.[]{}\"'#\n,a1_- \t");
}

export function version(r: Random): string {
  return Array.from({ length: r.below(6) }, () => r.pick(["1", "2", "10", "0", "pre", "a", "b", "rc", ".", "-", ".", "3", "2147483648", "99999999999999999999", "01", "é", "_", "+", "p"])).join(r.pick(["", ".", "-", ""]));
}

export function drvName(r: Random): string {
  return Array.from({ length: r.below(6) }, () => r.pick(["nix", "-", "-", "1.2", "foo", "a", "1", "-", "_", ".", "é", "--"])).join("");
}

export function hash(r: Random): string {
  const hex = (n: number): string => Array.from({ length: n }, () => r.pick([..."0123456789abcdef"])).join("");
  const base32 = (n: number): string => Array.from({ length: n }, () => r.pick([..."0123456789abcdfghijklmnpqrsvwxyz"])).join("");
  const base64 = (n: number): string => Array.from({ length: n }, () => r.pick([..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"])).join("");
  const form = r.below(4);
  const [sizes, prefix] = r.pick([[[32, 26, 22], "md5"], [[40, 32, 27], "sha1"], [[64, 52, 43], "sha256"], [[128, 103, 86], "sha512"]] as const);
  const body = form === 0 ? hex(sizes[0]) : form === 1 ? `0${base32(sizes[1] - 1)}` : base64(sizes[2]) + "=".repeat((3 - (sizes[2] % 4 === 3 ? 2 : sizes[2] % 4 === 2 ? 1 : 0)) % 3);
  const text = form === 3 || r.chance(0.3) ? `${r.chance(0.9) ? prefix : r.pick(["md5", "sha1", "sha256", "sha512", "blake3", "foo"])}${form === 3 ? "-" : ":"}${form === 3 ? body : body}` : body;
  return damage(r, text, "0aZ=:-+/eu");
}
