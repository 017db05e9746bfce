/** The kinds of token. Single characters are their own code, so names start above 255. */
export const Token = {
  end: 0,
  identifier: 256,
  string: 257,
  indentedString: 258,
  integer: 259,
  float: 260,
  path: 261,
  homePath: 262,
  searchPath: 263,
  pathEnd: 264,
  uri: 265,
  if: 266,
  then: 267,
  else: 268,
  assert: 269,
  with: 270,
  let: 271,
  in: 272,
  rec: 273,
  inherit: 274,
  or: 275,
  equal: 276,
  notEqual: 277,
  lessEqual: 278,
  greaterEqual: 279,
  update: 280,
  concat: 281,
  and: 282,
  orOr: 283,
  implies: 284,
  pipeFrom: 285,
  pipeInto: 286,
  dollarBrace: 287,
  indentedOpen: 288,
  indentedClose: 289,
  ellipsis: 290,
  /** Never made: it is what the reference's prompt starts a text with. */
  replBindings: 292,
  /** A mistake of the lexer, told only when the parser comes to it. */
  error: 291,
} as const;

export const KEYWORDS: ReadonlyMap<string, number> = new Map([
  ["if", Token.if], ["then", Token.then], ["else", Token.else], ["assert", Token.assert], ["with", Token.with], ["let", Token.let],
  ["in", Token.in], ["rec", Token.rec], ["inherit", Token.inherit], ["or", Token.or],
]);

const NAMES: ReadonlyMap<number, string> = new Map([
  [Token.end, "end of file"], [Token.identifier, "identifier"], [Token.string, "string"], [Token.indentedString, "indented string"],
  [Token.integer, "integer"], [Token.float, "floating-point literal"], [Token.path, "path"], [Token.homePath, "'~/…' path"],
  [Token.searchPath, "'<…>' path"], [Token.pathEnd, "end of path"], [Token.uri, "URI"], [Token.if, "'if'"], [Token.then, "'then'"],
  [Token.else, "'else'"], [Token.assert, "'assert'"], [Token.with, "'with'"], [Token.let, "'let'"], [Token.in, "'in'"], [Token.rec, "'rec'"],
  [Token.inherit, "'inherit'"], [Token.or, "'or'"], [Token.equal, "'=='"], [Token.notEqual, "'!='"], [Token.lessEqual, "'<='"],
  [Token.greaterEqual, "'>='"], [Token.update, "'//'"], [Token.concat, "'++'"], [Token.and, "'&&'"], [Token.orOr, "'||'"],
  [Token.implies, "'->'"], [Token.pipeFrom, "'<|'"], [Token.pipeInto, "'|>'"], [Token.dollarBrace, "'${'"],
  [Token.indentedOpen, "start of an indented string"], [Token.indentedClose, "end of an indented string"], [Token.ellipsis, "'...'"],
  [Token.replBindings, "start of REPL bindings"],
]);

/** Characters that the grammar knows; any other is an "invalid token" to it. */
const CHARACTERS = new Set([...":@;=!<>+-*/?.,\"()[]{}"].map((c) => c.charCodeAt(0)));

/** As the messages of the reference name it. */
export function tokenName(kind: number): string {
  return NAMES.get(kind) ?? (CHARACTERS.has(kind) ? `'${String.fromCharCode(kind)}'` : "invalid token");
}
