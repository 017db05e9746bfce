import { Token } from "./token.ts";

/**
 * The language's grammar as the reference's parser generator sees it, one rule a line, alternatives between bars. It is
 * not what parses (`parse.ts` does): which tokens a message of a syntax error names depends on the states that the
 * generator makes of exactly these rules. `%name` gives a rule the strength of another operator.
 */
export const GRAMMAR = `
start = expr | REPL binds1
expr = function
function = ID : function | formal_set : function | formal_set @ ID : function | ID @ formal_set : function
function = assert expr ; function | with expr ; function | let binds in function | conditional
conditional = if expr then expr else expr | pipe_from | pipe_into | op
pipe_from = op <| pipe_from | op <| op
pipe_into = pipe_into |> op | op |> op
op = ! op %NOT | - op %NEGATE | op == op | op != op | op < op | op <= op | op > op | op >= op | op && op | op || op | op -> op
op = op // op | op ? attrpath | op + op | op - op | op * op | op / op | op ++ op | app
app = app select | select
select = simple . attrpath | simple . attrpath or select | simple or | simple
simple = ID | INT | FLOAT | " string_parts " | IND_OPEN ind_parts IND_CLOSE | path_start PATH_END | path_start interpolated PATH_END
simple = SPATH | URI | ( expr ) | let { binds } | rec { binds } | { binds1 } | { } | [ list ]
string_parts = STR | interpolated |
interpolated = interpolated STR | interpolated \${ expr } | \${ expr } | STR \${ expr }
path_start = PATH | HPATH
ind_parts = ind_parts IND_STR | ind_parts \${ expr } |
binds = binds1 |
binds1 = binds1 attrpath = expr ; | binds inherit attrs ; | binds inherit ( expr ) attrs ; | attrpath = expr ;
attrs = attrs attr | attrs string_attr |
attrpath = attrpath . attr | attrpath . string_attr | attr | string_attr
attr = ID | or
string_attr = " string_parts " | \${ expr }
list = list select |
formal_set = { formals , ... } | { ... } | { formals , } | { formals } | { }
formals = formals , formal | formal
formal = ID | ID ? expr
`;

/** How its tokens are written above, in the order in which messages list them. */
export const GRAMMAR_TOKENS: readonly (readonly [name: string, token: number])[] = [
  ["END", Token.end], ["ID", Token.identifier], ["STR", Token.string], ["IND_STR", Token.indentedString], ["INT", Token.integer], ["FLOAT", Token.float],
  ["PATH", Token.path], ["HPATH", Token.homePath], ["SPATH", Token.searchPath], ["PATH_END", Token.pathEnd], ["URI", Token.uri],
  ["if", Token.if], ["then", Token.then], ["else", Token.else], ["assert", Token.assert], ["with", Token.with], ["let", Token.let], ["in", Token.in],
  ["rec", Token.rec], ["inherit", Token.inherit], ["==", Token.equal], ["!=", Token.notEqual], ["<=", Token.lessEqual], [">=", Token.greaterEqual],
  ["//", Token.update], ["++", Token.concat], ["&&", Token.and], ["||", Token.orOr], ["->", Token.implies], ["or", Token.or],
  ["<|", Token.pipeFrom], ["|>", Token.pipeInto], ["${", Token.dollarBrace], ["IND_OPEN", Token.indentedOpen], ["IND_CLOSE", Token.indentedClose],
  ["...", Token.ellipsis], ["REPL", Token.replBindings],
  ...[..."<>+-*/?:@;!.\"(){}[]=,"].map((c): [string, number] => [c, c.charCodeAt(0)]),
];

/** Strengths of operators, the weakest first. */
export const GRAMMAR_PRECEDENCE: readonly (readonly [grouping: "left" | "right" | "none", ...operators: string[]])[] = [
  ["right", "->"], ["left", "||"], ["left", "&&"], ["none", "==", "!="], ["none", "<", ">", "<=", ">="], ["right", "//"], ["left", "NOT"],
  ["left", "+", "-"], ["left", "*", "/"], ["right", "++"], ["none", "?"], ["none", "NEGATE"],
];
