/**
 * `derivation`, in the language itself as in the reference, so that its laziness and its frames are the same: a set for
 * each output, all of them over one `derivationStrict`. Traces show its lines, so what they show stands in the
 * reference's lines.
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
    // (builtins.listToAttrs named)
    // {
      all = map (output: output.value) named;
      inherit drvAttrs;
    };

  one = outputName: {
    name = outputName;
    value = commonAttrs // {
      outPath = builtins.getAttr outputName strict;
      drvPath = strict.drvPath;
      type = "derivation";
      inherit outputName;
    };
  };

  named = map one outputs;

in
(builtins.head named).value
`;
