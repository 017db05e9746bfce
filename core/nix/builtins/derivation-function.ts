/**
 * `derivation`, in the language itself as in the reference, so that its laziness and its frames are the same: a set for
 * each output, all of them over one `derivationStrict`. Traces show its lines, so what they show stands in the
 * reference's lines, and have its names.
 */
export const DERIVATION_FUNCTION = `/*${"\n".repeat(28)}*/
drvAttrs@{
  outputs ? [ "out" ],
  ...
}:
let


  strict = derivationStrict drvAttrs;

  commonAttrs =
    drvAttrs
    // (builtins.listToAttrs outputsList)
    // {
      all = map (output: output.value) outputsList;
      inherit drvAttrs;
    };

  outputToAttrListElement = outputName: {
    name = outputName;
    value = commonAttrs // {
      outPath = builtins.getAttr outputName strict;
      drvPath = strict.drvPath;
      type = "derivation";
      inherit outputName;
    };
  };

  outputsList = map outputToAttrListElement outputs;

in
(builtins.head outputsList).value
`;
