import type { ByteString } from "../util/bytes.ts";

/**
 * The names that the reference knows before it reads anything, in its order. Sets are compared and evaluated deeply in
 * the order in which names were met, so this decides which mistake of several is told. Found by asking it.
 */
export const FIRST_SYMBOLS: readonly string[] = (
  "outPath drvPath type meta name value system __overrides outputs outputName __ignoreNulls file line column __functor __toString right wrong " +
  "__structuredAttrs __json allowedReferences allowedRequisites disallowedReferences disallowedRequisites maxSize maxClosureSize builder args " +
  "__contentAddressed __impure outputHash outputHashAlgo outputHashMode recurseForDerivations description self  startSet operator key path prefix " +
  "outputSpecified __sub __lessThan __mul __div or __findFile __nixPath body " +
  "builtins true false null currentTime currentSystem nixVersion storeDir langVersion traceVerbose nixPath scopedImport import typeOf isNull isFunction isInt " +
  "isFloat isString isBool isPath genericClosure break abort throw addErrorContext ceil floor tryEval getEnv seq deepSeq trace warn " +
  "derivationStrict placeholder toPath storePath pathExists baseNameOf dirOf readFile findFile hashFile readFileType readDir toXML toJSON " +
  "fromJSON toFile filterSource attrNames attrValues getAttr unsafeGetAttrPos hasAttr isAttrs removeAttrs listToAttrs intersectAttrs catAttrs " +
  "functionArgs mapAttrs zipAttrsWith isList elemAt head tail map filter elem concatLists length foldl' any all genList sort partition groupBy " +
  "concatMap add sub mul div bitAnd bitOr bitXor lessThan toString substring stringLength hashString convertHash match split " +
  "concatStringsSep replaceStrings parseDrvName compareVersions splitVersion unsafeDiscardStringContext hasContext " +
  "unsafeDiscardOutputDependency addDrvOutputDependencies getContext appendContext fetchMercurial fetchTree fetchurl fetchTarball fetchGit " +
  "fromTOML getFlake parseFlakeRef flakeRefToString derivation strict drvAttrs commonAttrs outputsList x outputToAttrListElement"
).split(" ");

/** The place of each. */
export const FIRST_RANKS: ReadonlyMap<ByteString, number> = new Map(FIRST_SYMBOLS.map((name, index) => [name, index]));
