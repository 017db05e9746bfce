# More names than a set can have before its mapped values are made one by one.
let
  inherit (builtins) attrNames attrValues elemAt genList intersectAttrs length listToAttrs mapAttrs removeAttrs toJSON tryEval foldl' isAttrs;
  names = genList (n: "name${toString (1000 + n)}") 300;
  plain = listToAttrs (map (name: { inherit name; value = builtins.stringLength name; }) names);
  mapped = mapAttrs (name: value: if name == "name1007" then throw "seven" else { inherit name value; }) plain;
  twice = mapAttrs (name: value: value.name + "!") mapped;
  # A function is equal to itself alone: these show that a call is one and the same wherever its set was copied to.
  functions = mapAttrs (name: _: x: x) plain;
  changed = mapped // { name1003 = "three"; other = "other"; };
  both = mapped // mapAttrs (_: value: value + 1) plain;
  few = removeAttrs mapped (genList (n: "name${toString (1000 + n)}") 297);
  many = removeAttrs mapped [ "name1000" "name1007" ];
  rest = intersectAttrs { name1001 = null; name1299 = null; none = null; } changed;
in
{
  select = mapped.name1005.name;
  chain = twice.name1123;
  missing = mapped.none or "none";
  has = [ (mapped ? name1010) (mapped ? none) (mapped ? name1010.value) ];
  formals = (({ name1000, name1299, ... }@all: [ name1000.value name1299.name (length (attrNames all)) ])) mapped;
  with' = with mapped; name1020.name;
  changed = [ changed.name1003 changed.other changed.name1004.name (length (attrValues changed)) ];
  both = both.name1007;
  few = few;
  many = length (attrValues many);
  rest = rest;
  same = functions == functions;
  copied = (functions // { }) == functions;
  added = removeAttrs (functions // { zero = 0; }) [ "zero" ] == functions;
  kept = (functions // { zero = 0; }).name1001 == functions.name1001;
  list = [ functions.name1002 ] == [ (functions // { zero = 0; }).name1002 ];
  differ = mapped == plain;
  failed = tryEval mapped.name1007;
  again = tryEval (mapped // { zero = 0; }).name1007;
  json = builtins.stringLength (toJSON many);
  values = (elemAt (attrValues many) 250).name;
  sum = foldl' (sum: value: sum + value.value) 0 (attrValues many);
  position = builtins.unsafeGetAttrPos "name1001" mapped;
  sets = builtins.all isAttrs (attrValues many);
  nested = (mapAttrs (name: value: value) (mapAttrs (name: value: [ name value ]) (functions // { zero = 0; }))).zero;
  zipped = (builtins.zipAttrsWith (name: values: length values) [ many mapped { name1000 = 1; } ]).name1000;
}
