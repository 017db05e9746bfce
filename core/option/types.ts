import { anything, argument, functionTo, raw, unspecified } from "./types/anything.ts";
import { attrTag } from "./types/attr-tag.ts";
import { attrs, attrsOf, lazyAttrsOf } from "./types/attrs-of.ts";
import { bool, boolByOr } from "./types/bool.ts";
import { coercedTo } from "./types/coerced-to.ts";
import { deferredModule } from "./types/deferred-module.ts";
import { either, oneOf } from "./types/either.ts";
import { enumOf } from "./types/enum.ts";
import { inline, luaInline } from "./types/inline.ts";
import { json } from "./types/json.ts";
import { listOf, nonEmptyListOf } from "./types/list-of.ts";
import { nullOr } from "./types/null-or.ts";
import { float, int, ints, number, numbers, port } from "./types/numbers.ts";
import { optionType } from "./types/option-type.ts";
import { packageType, shellPackage } from "./types/package.ts";
import { path, pathInStore } from "./types/path.ts";
import { secret } from "./types/secret.ts";
import {
  commas,
  envVar,
  lines,
  nonEmptyStr,
  passwdEntry,
  separatedString,
  singleLineStr,
  str,
  strMatching,
} from "./types/strings.ts";
import { submodule, submoduleWith } from "./types/submodule.ts";
import { uniq, unique } from "./types/unique.ts";
import { valueOrList } from "./types/value-or-list.ts";

/** The types of options, with the names and the meaning that they have in NixOS. */
export const types = Object.freeze({
  anything,
  argument,
  attrTag,
  attrs,
  attrsOf,
  bool,
  boolByOr,
  coercedTo,
  commas,
  deferredModule,
  either,
  enum: enumOf,
  envVar,
  float,
  functionTo,
  inline,
  int,
  ints,
  json,
  lazyAttrsOf,
  lines,
  listOf,
  luaInline,
  nonEmptyListOf,
  nonEmptyStr,
  nullOr,
  number,
  numbers,
  oneOf,
  optionType,
  package: packageType,
  passwdEntry,
  path,
  pathInStore,
  port,
  raw,
  secret,
  separatedString,
  shellPackage,
  singleLineStr,
  str,
  strMatching,
  submodule,
  submoduleWith,
  uniq,
  unique,
  unspecified,
  valueOrList,
});
