/**
 * `derivation`, in the language itself as in the reference, so that its laziness and its frames are the same: a set for
 * each output, all of them over one `derivationStrict`.
 */
export const DERIVATION_FUNCTION = `drvAttrs@{ outputs ? [ "out" ], ... }:
let
  strict = derivationStrict drvAttrs;
  named = map (outputName: { name = outputName; value = one outputName; }) outputs;
  common = drvAttrs // builtins.listToAttrs named // {
    all = map (output: output.value) named;
    inherit drvAttrs;
  };
  one = outputName: common // {
    outPath = builtins.getAttr outputName strict;
    drvPath = strict.drvPath;
    type = "derivation";
    inherit outputName;
  };
in
(builtins.head named).value
`;
