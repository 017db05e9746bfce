import type { ByteString } from "../util/bytes.ts";

/** What a name in an attribute path is: written out, or computed. */
export type AttributeName = { readonly kind: "static"; readonly name: ByteString } | { readonly kind: "dynamic"; readonly expression: Expression };

/** How a variable or an attribute came into a set: `a = …`, `inherit a`, `inherit (e) a`. */
export type AttributeKind = "plain" | "inherited" | "inherited-from";

export type AttributeDefinition = {
  kind: AttributeKind;
  value: Expression;
  pos: number;
  /** For `inherited-from`: which of the set's `inheritFrom`. */
  from: number;
};

export type DynamicAttribute = { readonly name: Expression; readonly value: Expression; readonly pos: number };

export type AttributeSet = {
  readonly kind: "attrs";
  pos: number;
  recursive: boolean;
  readonly attributes: Map<ByteString, AttributeDefinition>;
  readonly dynamic: DynamicAttribute[];
  readonly inheritFrom: Expression[];
};

export type Formal = { readonly name: ByteString; readonly pos: number; readonly default: Expression | undefined };

export type Lambda = {
  readonly kind: "lambda";
  readonly pos: number;
  readonly argument: ByteString | undefined;
  readonly formals: { readonly list: readonly Formal[]; readonly ellipsis: boolean } | undefined;
  readonly body: Expression;
  /** The attribute or variable it was bound to, for messages. */
  name: ByteString | undefined;
};

export type BinaryOperator = "==" | "!=" | "&&" | "||" | "->" | "//" | "++";

/**
 * What the parser makes of a text: close to the text, as the reference prints it with `--parse`. All `pos` are byte
 * offsets. It lives only until it is compiled.
 */
export type Expression =
  | { readonly kind: "int"; readonly value: number | bigint }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: ByteString }
  | { readonly kind: "path"; readonly value: ByteString }
  | { readonly kind: "var"; readonly pos: number; readonly name: ByteString }
  | { readonly kind: "select"; readonly pos: number; readonly of: Expression; readonly path: readonly AttributeName[]; readonly default: Expression | undefined }
  | { readonly kind: "inherit-from"; readonly pos: number }
  | { readonly kind: "has"; readonly of: Expression; readonly path: readonly AttributeName[] }
  | AttributeSet
  | { readonly kind: "list"; readonly elements: readonly Expression[] }
  | Lambda
  | { readonly kind: "call"; readonly pos: number; readonly function: Expression; readonly arguments: Expression[] }
  | { readonly kind: "let"; readonly attributes: AttributeSet; readonly body: Expression }
  | { readonly kind: "with"; readonly pos: number; readonly attributes: Expression; readonly body: Expression }
  | { readonly kind: "if"; readonly pos: number; readonly condition: Expression; readonly then: Expression; readonly else: Expression }
  | { readonly kind: "assert"; readonly pos: number; readonly condition: Expression; readonly body: Expression }
  | { readonly kind: "not"; readonly of: Expression }
  | { readonly kind: "binary"; readonly pos: number; readonly operator: BinaryOperator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "concat"; readonly pos: number; readonly forceString: boolean; readonly parts: readonly { readonly pos: number; readonly value: Expression }[] }
  | { readonly kind: "current-position"; readonly pos: number };
