// Generated from setup.sh by cli/dev/generate-packages.ts, so that the bundle of packages holds it.

/** The builder of `mkDerivation`. */
export const setupScript: string =
  "# The builder of mkDerivation. It runs in the sandbox with the attributes of the build as shell variables (lists\n" +
  "# as arrays), and turns $src into the outputs, phase by phase.\n" +
  "#\n" +
  "# A phase is the function named for it, or the attribute of that name in its place. Before and after each phase\n" +
  "# the hooks preX and postX run: functions, attributes, or what inputs' setup hooks put into the arrays\n" +
  "# preXHooks and postXHooks.\n" +
  "set -eu -o pipefail\n" +
  "shopt -s nullglob inherit_errexit\n" +
  "umask 022\n" +
  "export LC_ALL=C TZ=UTC\n" +
  "\n" +
  "# shellcheck disable=SC1090\n" +
  "source \"$NIX_ATTRS_SH_FILE\"\n" +
  "\n" +
  "export NIX_BUILD_TOP TMPDIR\n" +
  "export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-315532800} ZERO_AR_DATE=1\n" +
  "export HOME=/homeless-shelter\n" +
  "unset SSL_CERT_FILE NIX_SSL_CERT_FILE\n" +
  "\n" +
  "# --- messages -------------------------------------------------------------------------------------------------\n" +
  "\n" +
  "currentPhase=setup\n" +
  "fail() {\n" +
  "  printf 'error: %s\\n' \"$1\" >&2\n" +
  "  shift\n" +
  "  local line\n" +
  "  for line; do printf '  %s\\n' \"$line\" >&2; done\n" +
  "  exit 1\n" +
  "}\n" +
  "onExit() {\n" +
  "  local status=$?\n" +
  "  if [ \"$status\" -ne 0 ]; then\n" +
  "    printf 'error: %s failed with exit code %s\\n' \"$currentPhase\" \"$status\" >&2\n" +
  "    runHook failureHook || true\n" +
  "  fi\n" +
  "  return \"$status\"\n" +
  "}\n" +
  "trap onExit EXIT\n" +
  "\n" +
  "isFunction() { [ \"$(type -t \"$1\")\" = function ]; }\n" +
  "\n" +
  "# Runs what goes by the name: setup hooks' array, then the function or the attribute.\n" +
  "runHook() {\n" +
  "  local -n hooks=\"${1}Hooks\"\n" +
  "  local hook\n" +
  "  # Setup hooks append the names of functions; an array that none touched is not there.\n" +
  "  for hook in ${hooks[@]+\"${hooks[@]}\"}; do runCode \"$hook\"; done\n" +
  "  runCode \"$1\"\n" +
  "}\n" +
  "runCode() {\n" +
  "  if isFunction \"$1\"; then \"$1\"\n" +
  "  elif [ -n \"${!1:-}\" ]; then eval \"${!1}\"\n" +
  "  fi\n" +
  "}\n" +
  "\n" +
  "# The tools of setup itself: the build root's, or packages.\n" +
  "basePath=\n" +
  "if declare -p initialInputs >/dev/null 2>&1; then\n" +
  "  for input in \"${initialInputs[@]}\"; do basePath+=\"$input/bin:\"; done\n" +
  "fi\n" +
  "export PATH=\"$basePath/usr/bin\"\n" +
  "\n" +
  "# --- outputs --------------------------------------------------------------------------------------------------\n" +
  "\n" +
  "outputNames=()\n" +
  "for output in \"${!outputs[@]}\"; do outputNames+=(\"$output\"); done\n" +
  "IFS=$'\\n' read -r -d '' -a outputNames < <(printf '%s\\n' \"${outputNames[@]}\" | sort && printf '\\0')\n" +
  "for output in \"${outputNames[@]}\"; do\n" +
  "  declare \"$output=${outputs[$output]}\"\n" +
  "  export \"${output?}\"\n" +
  "done\n" +
  "# The path of the first output that there is.\n" +
  "outputOr() {\n" +
  "  local name\n" +
  "  for name; do\n" +
  "    if [ -n \"${outputs[$name]:-}\" ]; then\n" +
  "      printf %s \"${outputs[$name]}\"\n" +
  "      return\n" +
  "    fi\n" +
  "  done\n" +
  "  printf %s \"${outputs[${outputNames[0]}]}\"\n" +
  "}\n" +
  "prefix=$(outputOr out)\n" +
  "outputBin=$(outputOr bin out)\n" +
  "outputLib=$(outputOr lib out)\n" +
  "outputDev=$(outputOr dev out)\n" +
  "outputMan=$(outputOr man bin out)\n" +
  "outputDoc=$(outputOr doc out)\n" +
  "export prefix\n" +
  "\n" +
  "# The attributes of env, and nothing else, are the environment of the tools.\n" +
  "if declare -p env >/dev/null 2>&1; then\n" +
  "  for name in \"${!env[@]}\"; do export \"$name=${env[$name]}\"; done\n" +
  "fi\n" +
  "\n" +
  "# --- inputs ---------------------------------------------------------------------------------------------------\n" +
  "\n" +
  "declare -A seenInputs=()\n" +
  "allInputs=()\n" +
  "addInput() {\n" +
  "  local input=$1 more\n" +
  "  [ -z \"$input\" ] && return\n" +
  "  [ -n \"${seenInputs[$input]:-}\" ] && return\n" +
  "  seenInputs[$input]=1\n" +
  "  allInputs+=(\"$input\")\n" +
  "  if [ -f \"$input/nix-support/propagated-build-inputs\" ]; then\n" +
  "    for more in $(<\"$input/nix-support/propagated-build-inputs\"); do addInput \"$more\"; done\n" +
  "  fi\n" +
  "}\n" +
  "\n" +
  "hostPath=\n" +
  "toolPath=\n" +
  "if declare -p nativeBuildInputs >/dev/null 2>&1; then\n" +
  "  for input in \"${nativeBuildInputs[@]}\"; do\n" +
  "    addInput \"$input\"\n" +
  "    [ -d \"$input/bin\" ] && toolPath+=\"$input/bin:\"\n" +
  "  done\n" +
  "fi\n" +
  "nativeInputs=(\"${allInputs[@]}\")\n" +
  "allInputs=()\n" +
  "for list in buildInputs propagatedBuildInputs; do\n" +
  "  if declare -p \"$list\" >/dev/null 2>&1; then\n" +
  "    declare -n items=$list\n" +
  "    for input in \"${items[@]}\"; do addInput \"$input\"; done\n" +
  "    unset -n items\n" +
  "  fi\n" +
  "done\n" +
  "\n" +
  "multiarch=x86_64-linux-gnu\n" +
  "compileFlags=()\n" +
  "linkFlags=()\n" +
  "pkgConfigPath=\n" +
  "for input in \"${allInputs[@]}\"; do\n" +
  "  [ -d \"$input/bin\" ] && hostPath+=\"$input/bin:\"\n" +
  "  # Packages made of Debian's keep its folders for one architecture.\n" +
  "  for folder in include \"include/$multiarch\"; do\n" +
  "    [ -d \"$input/$folder\" ] && compileFlags+=(-isystem \"$input/$folder\")\n" +
  "  done\n" +
  "  for folder in lib \"lib/$multiarch\"; do\n" +
  "    [ -d \"$input/$folder\" ] && linkFlags+=(\"-L$input/$folder\" \"-Wl,-rpath,$input/$folder\")\n" +
  "  done\n" +
  "  for folder in lib \"lib/$multiarch\" share; do\n" +
  "    [ -d \"$input/$folder/pkgconfig\" ] && pkgConfigPath+=\"$input/$folder/pkgconfig:\"\n" +
  "  done\n" +
  "done\n" +
  "# The build root's own libraries are no inputs: what is found must be in the store.\n" +
  "export PKG_CONFIG_PATH=${pkgConfigPath%:} PKG_CONFIG_LIBDIR=\n" +
  "\n" +
  "# --- compiler -------------------------------------------------------------------------------------------------\n" +
  "\n" +
  "# Scripts that stand before the build root's compiler and make results refer to the store alone.\n" +
  "wrapCompiler() {\n" +
  "  local folder=$1 name flags links\n" +
  "  mkdir -p \"$folder\"\n" +
  "  for output in \"${outputNames[@]}\"; do linkFlags+=(\"-Wl,-rpath,${outputs[$output]}/lib\"); done\n" +
  "  linkFlags+=(\"-Wl,--dynamic-linker=$glibc/lib/$multiarch/ld-linux-x86-64.so.2\" \"-Wl,-rpath,$glibc/lib/$multiarch\" \"-Wl,-z,relro,-z,now\")\n" +
  "  compileFlags+=(\"-ffile-prefix-map=$NIX_BUILD_TOP=.\" \"-frandom-seed=${prefix##*/}\" -fstack-protector-strong)\n" +
  "  flags=$(printf ' %q' \"${compileFlags[@]}\")\n" +
  "  links=$(printf ' %q' \"${linkFlags[@]}\")\n" +
  "  for name in gcc g++ cc c++ cpp; do\n" +
  "    [ -x \"/usr/bin/$name\" ] || continue\n" +
  "    {\n" +
  "      printf '#!/bin/sh\\n'\n" +
  "      # Fortified functions need optimisation, and a compiler without a file is asked about itself.\n" +
  "      printf 'case \" $* \" in\\n  *\" -O\"[123s]*) fortify=\"-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2\" ;;\\n  *) fortify= ;;\\nesac\\n'\n" +
  "      if [ \"$name\" = cpp ]; then printf 'exec /usr/bin/%s $fortify \"$@\"%s\\n' \"$name\" \"$flags\"\n" +
  "      else printf 'exec /usr/bin/%s $fortify \"$@\"%s%s $NIX_CFLAGS_COMPILE $NIX_LDFLAGS\\n' \"$name\" \"$flags\" \"$links\"\n" +
  "      fi\n" +
  "    } >\"$folder/$name\"\n" +
  "    chmod +x \"$folder/$name\"\n" +
  "  done\n" +
  "}\n" +
  "\n" +
  "buildRootPath=\n" +
  "if [ -n \"${__buildRoot:-}\" ]; then\n" +
  "  wrapCompiler \"$NIX_BUILD_TOP/.compiler\"\n" +
  "  export NIX_CFLAGS_COMPILE=${NIX_CFLAGS_COMPILE:-} NIX_LDFLAGS=${NIX_LDFLAGS:-}\n" +
  "  export CC=${CC:-gcc} CXX=${CXX:-g++} AR=${AR:-ar} RANLIB=${RANLIB:-ranlib}\n" +
  "  export CFLAGS=${CFLAGS:--O2 -pipe} CXXFLAGS=${CXXFLAGS:--O2 -pipe}\n" +
  "  buildRootPath=/usr/bin:/usr/sbin:\n" +
  "  toolPath=\"$NIX_BUILD_TOP/.compiler:$toolPath\"\n" +
  "fi\n" +
  "PATH=\"$toolPath$hostPath$basePath$buildRootPath\"\n" +
  "export PATH=${PATH%:}\n" +
  "\n" +
  "for input in \"${nativeInputs[@]}\" \"${allInputs[@]}\"; do\n" +
  "  # shellcheck disable=SC1091\n" +
  "  if [ -f \"$input/nix-support/setup-hook\" ]; then source \"$input/nix-support/setup-hook\"; fi\n" +
  "done\n" +
  "\n" +
  "# --- phases ---------------------------------------------------------------------------------------------------\n" +
  "\n" +
  "# Words of an attribute that may be a list or a text, into the array `words`.\n" +
  "wordsOf() {\n" +
  "  words=()\n" +
  "  local name\n" +
  "  for name; do\n" +
  "    declare -p \"$name\" >/dev/null 2>&1 || continue\n" +
  "    if [[ \"$(declare -p \"$name\")\" =~ ^declare\\ -[A-Za-z]*a ]]; then\n" +
  "      local -n list=$name\n" +
  "      words+=(\"${list[@]}\")\n" +
  "      unset -n list\n" +
  "    elif [ -n \"${!name}\" ]; then\n" +
  "      local -a split\n" +
  "      read -r -d \"\" -a split <<<\"${!name}\" || true\n" +
  "      words+=(\"${split[@]}\")\n" +
  "    fi\n" +
  "  done\n" +
  "}\n" +
  "\n" +
  "unpackFile() {\n" +
  "  local file=$1 target\n" +
  "  if [ -d \"$file\" ]; then\n" +
  "    target=${file##*/}\n" +
  "    target=${target:33}\n" +
  "    cp -r --no-preserve=ownership \"$file\" \"${target:-source}\"\n" +
  "    chmod -R u+w \"${target:-source}\"\n" +
  "    return\n" +
  "  fi\n" +
  "  case \"$file\" in\n" +
  "    *.tar | *.tar.* | *.tgz | *.tbz2 | *.txz) tar --extract --no-same-owner --no-same-permissions --file \"$file\" ;;\n" +
  "    *.zip) unzip -qq \"$file\" ;;\n" +
  "    *) fail \"the source $file is no archive that unpacking knows\" \"give unpackPhase, or dontUnpack\" ;;\n" +
  "  esac\n" +
  "}\n" +
  "\n" +
  "unpackPhase() {\n" +
  "  runHook preUnpack\n" +
  "  wordsOf srcs\n" +
  "  if [ \"${#words[@]}\" -eq 0 ]; then words=(\"${src:-}\"); fi\n" +
  "  [ -n \"${words[0]}\" ] || fail \"there is nothing to unpack: neither src nor srcs is given\" \"give dontUnpack where that is meant\"\n" +
  "  local file folder before=\" $(printf '%s ' */)\"\n" +
  "  for file in \"${words[@]}\"; do unpackFile \"$file\"; done\n" +
  "  if [ -z \"${sourceRoot:-}\" ]; then\n" +
  "    local found=()\n" +
  "    for folder in */; do [[ \"$before\" == *\" $folder \"* ]] || found+=(\"${folder%/}\"); done\n" +
  "    [ \"${#found[@]}\" -eq 1 ] || fail \"unpacking left ${#found[@]} folders, expected one: ${found[*]}\" \"name the one to build in sourceRoot\"\n" +
  "    sourceRoot=${found[0]}\n" +
  "  fi\n" +
  "  chmod -R u+w -- \"$sourceRoot\"\n" +
  "  cd \"$sourceRoot\"\n" +
  "  runHook postUnpack\n" +
  "}\n" +
  "\n" +
  "patchPhase() {\n" +
  "  runHook prePatch\n" +
  "  wordsOf patches\n" +
  "  local file\n" +
  "  for file in \"${words[@]}\"; do\n" +
  "    echo \"applying $file\"\n" +
  "    case \"$file\" in\n" +
  "      *.gz) gzip -d <\"$file\" ;;\n" +
  "      *.xz) xz -d <\"$file\" ;;\n" +
  "      *.bz2) bzip2 -d <\"$file\" ;;\n" +
  "      *) cat \"$file\" ;;\n" +
  "    esac | patch -p1 --forward\n" +
  "  done\n" +
  "  runHook postPatch\n" +
  "}\n" +
  "\n" +
  "configurePhase() {\n" +
  "  runHook preConfigure\n" +
  "  local script=${configureScript:-./configure}\n" +
  "  if [ -x \"$script\" ]; then\n" +
  "    local flags=()\n" +
  "    if [ -z \"${dontAddPrefix:-}\" ]; then flags+=(\"--prefix=$prefix\"); fi\n" +
  "    # What only generated scripts understand.\n" +
  "    if grep -q 'Generated by GNU Autoconf' \"$script\"; then\n" +
  "      flags+=(\"--bindir=$outputBin/bin\" \"--sbindir=$outputBin/sbin\" \"--libdir=$outputLib/lib\" \"--includedir=$outputDev/include\"\n" +
  "        \"--mandir=$outputMan/share/man\" \"--docdir=$outputDoc/share/doc/${pname:-$name}\" \"--infodir=$outputDoc/share/info\")\n" +
  "      if grep -q enable-dependency-tracking \"$script\"; then flags+=(--disable-dependency-tracking); fi\n" +
  "      if [ -z \"${withStatic:-}\" ] && grep -q enable-static \"$script\"; then flags+=(--disable-static); fi\n" +
  "    fi\n" +
  "    wordsOf configureFlags\n" +
  "    flags+=(\"${words[@]}\")\n" +
  "    echo \"$script ${flags[*]}\"\n" +
  "    \"$script\" \"${flags[@]}\"\n" +
  "  fi\n" +
  "  runHook postConfigure\n" +
  "}\n" +
  "\n" +
  "hasMakefile() { [ -f Makefile ] || [ -f makefile ] || [ -f GNUmakefile ]; }\n" +
  "\n" +
  "runMake() {\n" +
  "  local parallel=(-j1)\n" +
  "  if [ \"${enableParallelBuilding:-1}\" = 1 ]; then parallel=(\"-j${NIX_BUILD_CORES:-1}\"); fi\n" +
  "  echo \"make ${parallel[*]} $*\"\n" +
  "  make \"${parallel[@]}\" \"$@\"\n" +
  "}\n" +
  "\n" +
  "buildPhase() {\n" +
  "  runHook preBuild\n" +
  "  if hasMakefile; then\n" +
  "    wordsOf makeFlags buildFlags\n" +
  "    runMake \"${words[@]}\"\n" +
  "  fi\n" +
  "  runHook postBuild\n" +
  "}\n" +
  "\n" +
  "checkPhase() {\n" +
  "  runHook preCheck\n" +
  "  if hasMakefile; then\n" +
  "    wordsOf makeFlags checkFlags\n" +
  "    runMake \"${words[@]}\" \"${checkTarget:-check}\"\n" +
  "  fi\n" +
  "  runHook postCheck\n" +
  "}\n" +
  "\n" +
  "installPhase() {\n" +
  "  runHook preInstall\n" +
  "  mkdir -p \"$prefix\"\n" +
  "  if hasMakefile; then\n" +
  "    wordsOf makeFlags installFlags\n" +
  "    local targets=()\n" +
  "    read -r -a targets <<<\"${installTargets:-install}\"\n" +
  "    runMake \"${words[@]}\" \"${targets[@]}\"\n" +
  "  fi\n" +
  "  runHook postInstall\n" +
  "}\n" +
  "\n" +
  "# --- fixup ----------------------------------------------------------------------------------------------------\n" +
  "\n" +
  "# Fills the arrays elfFiles and scriptFiles with the files of one output by what they begin with.\n" +
  "sortFiles() {\n" +
  "  elfFiles=()\n" +
  "  scriptFiles=()\n" +
  "  local file magic\n" +
  "  while IFS= read -r -d '' file; do\n" +
  "    magic=\n" +
  "    IFS= read -r -n 4 magic <\"$file\" 2>/dev/null || true\n" +
  "    case \"$magic\" in\n" +
  "      $'\\x7fELF') elfFiles+=(\"$file\") ;;\n" +
  "      '#!'*) scriptFiles+=(\"$file\") ;;\n" +
  "    esac\n" +
  "  done < <(find \"$1\" -type f -print0 | sort -z)\n" +
  "}\n" +
  "\n" +
  "moveToOutput() {\n" +
  "  local from=$1 path=$2 to=$3\n" +
  "  if [ \"$from\" = \"$to\" ] || [ ! -e \"$from/$path\" ]; then return; fi\n" +
  "  mkdir -p \"$to/${path%/*}\"\n" +
  "  cp -a \"$from/$path/.\" \"$to/$path/\"\n" +
  "  rm -rf \"${from:?}/$path\"\n" +
  "  rmdir --ignore-fail-on-non-empty --parents \"$from/${path%/*}\" 2>/dev/null || true\n" +
  "}\n" +
  "\n" +
  "splitOutputs() {\n" +
  "  local path\n" +
  "  for path in share/man; do moveToOutput \"$prefix\" \"$path\" \"$outputMan\"; done\n" +
  "  for path in share/doc share/info; do moveToOutput \"$prefix\" \"$path\" \"$outputDoc\"; done\n" +
  "  if [ \"$outputDev\" != \"$prefix\" ]; then\n" +
  "    for path in include lib/pkgconfig share/pkgconfig share/aclocal; do\n" +
  "      moveToOutput \"$prefix\" \"$path\" \"$outputDev\"\n" +
  "      moveToOutput \"$outputLib\" \"$path\" \"$outputDev\"\n" +
  "    done\n" +
  "  fi\n" +
  "}\n" +
  "\n" +
  "stripOutput() {\n" +
  "  local file\n" +
  "  for file in \"${elfFiles[@]}\"; do\n" +
  "    case \"$file\" in\n" +
  "      *.o | *.ko) ;;\n" +
  "      *)\n" +
  "        [ -w \"$file\" ] || chmod u+w \"$file\"\n" +
  "        strip --strip-unneeded --preserve-dates \"$file\" || fail \"cannot strip $file\"\n" +
  "        ;;\n" +
  "    esac\n" +
  "  done\n" +
  "  while IFS= read -r -d '' file; do\n" +
  "    strip --strip-debug --enable-deterministic-archives \"$file\"\n" +
  "  done < <(find \"$1\" -type f -name '*.a' -print0)\n" +
  "}\n" +
  "\n" +
  "# The interpreter of a script as a path in the store: `#!/bin/sh` and `#!/usr/bin/env python3` alike.\n" +
  "rewriteShebangs() {\n" +
  "  local file line interpreter arguments program found\n" +
  "  for file in \"${scriptFiles[@]}\"; do\n" +
  "    [ -x \"$file\" ] || continue\n" +
  "    IFS= read -r line <\"$file\"\n" +
  "    read -r interpreter arguments <<<\"${line#\\#!}\"\n" +
  "    [[ \"$interpreter\" == \"$NIX_STORE\"/* ]] && continue\n" +
  "    program=${interpreter##*/}\n" +
  "    if [ \"$program\" = env ]; then\n" +
  "      arguments=${arguments#-S }\n" +
  "      read -r program arguments <<<\"$arguments\"\n" +
  "    fi\n" +
  "    found=$(PATH=$hostPath${runtimeShell:+$runtimeShell/bin} type -P \"$program\" || true)\n" +
  "    [ -n \"$found\" ] || fail \"the script $file wants $program, which no input holds\" \"its first line is $line\" \"add the package to buildInputs\"\n" +
  "    sed -i \"1s|.*|#!$found${arguments:+ $arguments}|\" \"$file\"\n" +
  "  done\n" +
  "}\n" +
  "\n" +
  "shrinkRunPaths() {\n" +
  "  local file\n" +
  "  for file in \"${elfFiles[@]}\"; do\n" +
  "    case \"$file\" in *.o | *.ko | *.a) continue ;; esac\n" +
  "    if isDynamic \"$file\"; then patchelf --shrink-rpath --allowed-rpath-prefixes \"$NIX_STORE\" \"$file\"; fi\n" +
  "  done\n" +
  "}\n" +
  "\n" +
  "isDynamic() { readelf --wide --program-headers \"$1\" 2>/dev/null | grep -q '^ *DYNAMIC '; }\n" +
  "\n" +
  "# Each of these breaks on the next machine, where neither the build root nor the build folder is.\n" +
  "checkReferences() {\n" +
  "  local output=$1 file line problems=()\n" +
  "  for file in \"${elfFiles[@]}\"; do checkElf \"$file\"; done\n" +
  "  for file in \"${scriptFiles[@]}\"; do\n" +
  "    [ -x \"$file\" ] || continue\n" +
  "    IFS= read -r line <\"$file\"\n" +
  "    line=${line#\\#!}\n" +
  "    line=${line# }\n" +
  "    [[ \"$line\" == \"$NIX_STORE\"/* ]] || problems+=(\"$file: the interpreter \\\"$line\\\" is not in the store\")\n" +
  "  done\n" +
  "  while IFS= read -r -d '' file; do\n" +
  "    line=$(grep -nE '(^|[^[:alnum:]_.-])/(usr|build)(/|$)' \"$file\" | head -n 1 || true)\n" +
  "    [ -z \"$line\" ] || problems+=(\"$file: line $line names a folder outside of the store\")\n" +
  "  done < <(find \"$output\" -type f -name '*.pc' -print0)\n" +
  "  while IFS= read -r file; do\n" +
  "    [ -z \"$file\" ] || problems+=(\"$file: holds the path of the build folder $NIX_BUILD_TOP/${sourceRoot:-}\")\n" +
  "  done < <([ -n \"${sourceRoot:-}\" ] && grep -rlF \"$NIX_BUILD_TOP/$sourceRoot\" \"$output\" || true)\n" +
  "  while IFS= read -r -d '' file; do\n" +
  "    line=$(readlink \"$file\")\n" +
  "    case \"$line\" in\n" +
  "      \"$NIX_STORE\"/*) ;;\n" +
  "      /*) problems+=(\"$file: the link goes to \\\"$line\\\", outside of the store\") ;;\n" +
  "    esac\n" +
  "  done < <(find \"$output\" -type l -print0)\n" +
  "  [ \"${#problems[@]}\" -eq 0 ] || fail \"${#problems[@]} references of $output do not go to store paths:\" \"${problems[@]}\"\n" +
  "}\n" +
  "\n" +
  "checkElf() {\n" +
  "  local file=$1 interpreter runPath needed entry found\n" +
  "  case \"$file\" in *.o | *.ko | *.a) return ;; esac\n" +
  "  isDynamic \"$file\" || return 0\n" +
  "  interpreter=$(patchelf --print-interpreter \"$file\" 2>/dev/null || true)\n" +
  "  case \"$interpreter\" in\n" +
  "    \"\" | \"$NIX_STORE\"/*) ;;\n" +
  "    *) problems+=(\"$file: the interpreter \\\"$interpreter\\\" is not in the store\") ;;\n" +
  "  esac\n" +
  "  local folders=()\n" +
  "  runPath=$(patchelf --print-rpath \"$file\")\n" +
  "  IFS=: read -r -a folders <<<\"$runPath\"\n" +
  "  for entry in \"${folders[@]}\"; do\n" +
  "    case \"$entry\" in\n" +
  "      \"$NIX_STORE\"/* | '$ORIGIN'*) ;;\n" +
  "      *) problems+=(\"$file: the run path \\\"$entry\\\" is not in the store\") ;;\n" +
  "    esac\n" +
  "  done\n" +
  "  while IFS= read -r needed; do\n" +
  "    [ -n \"$needed\" ] || continue\n" +
  "    found=\n" +
  "    # A library's users bring the loader and the C library.\n" +
  "    case \"$needed\" in ld-linux-*) continue ;; esac\n" +
  "    for entry in \"${folders[@]}\"; do\n" +
  "      if [ -e \"${entry//'$ORIGIN'/${file%/*}}/$needed\" ]; then found=1; fi\n" +
  "    done\n" +
  "    [ -n \"$found\" ] || problems+=(\"$file: needs \\\"$needed\\\", which no folder of its run path holds ($runPath)\")\n" +
  "  done < <(patchelf --print-needed \"$file\")\n" +
  "}\n" +
  "\n" +
  "fixupPhase() {\n" +
  "  runHook preFixup\n" +
  "  local output folder\n" +
  "  splitOutputs\n" +
  "  for output in \"${outputNames[@]}\"; do\n" +
  "    folder=${outputs[$output]}\n" +
  "    # An output that nothing went into is a mistake, but for the conventional ones it is a lesser one.\n" +
  "    if [ ! -e \"$folder\" ] && [ ! -L \"$folder\" ]; then\n" +
  "      case \"$output\" in\n" +
  "        man | doc | info | dev) mkdir -p \"$folder\" ;;\n" +
  "        *) fail \"the build made no output \\\"$output\\\"\" \"expected $folder\" ;;\n" +
  "      esac\n" +
  "    fi\n" +
  "    [ -d \"$folder\" ] || continue\n" +
  "    find \"$folder\" -type f -name '*.la' -delete\n" +
  "    chmod -R u+w \"$folder\"\n" +
  "    sortFiles \"$folder\"\n" +
  "    if [ -n \"${__buildRoot:-}\" ] && [ -z \"${dontStrip:-}\" ]; then stripOutput \"$folder\"; fi\n" +
  "    if [ -n \"${__buildRoot:-}\" ] && [ -z \"${dontShrinkRunPaths:-}\" ]; then shrinkRunPaths; fi\n" +
  "    if [ -z \"${dontRewriteShebangs:-}\" ]; then rewriteShebangs; fi\n" +
  "  done\n" +
  "  writeSupport\n" +
  "  runHook postFixup\n" +
  "  for output in \"${outputNames[@]}\"; do\n" +
  "    folder=${outputs[$output]}\n" +
  "    [ -d \"$folder\" ] || continue\n" +
  "    if [ -n \"${__buildRoot:-}\" ] && [ -z \"${dontCheckReferences:-}\" ]; then\n" +
  "      sortFiles \"$folder\"\n" +
  "      checkReferences \"$folder\"\n" +
  "    fi\n" +
  "  done\n" +
  "}\n" +
  "\n" +
  "# What those who use the package find beside it.\n" +
  "writeSupport() {\n" +
  "  wordsOf propagatedBuildInputs\n" +
  "  local inputs=(\"${words[@]}\")\n" +
  "  if [ \"$outputDev\" != \"$outputLib\" ]; then inputs+=(\"$outputLib\"); fi\n" +
  "  if [ \"${#inputs[@]}\" -gt 0 ]; then\n" +
  "    mkdir -p \"$outputDev/nix-support\"\n" +
  "    printf '%s\\n' \"${inputs[@]}\" >\"$outputDev/nix-support/propagated-build-inputs\"\n" +
  "  fi\n" +
  "  if [ -n \"${setupHook:-}\" ]; then\n" +
  "    mkdir -p \"$outputDev/nix-support\"\n" +
  "    cp \"$setupHook\" \"$outputDev/nix-support/setup-hook\"\n" +
  "  fi\n" +
  "}\n" +
  "\n" +
  "# --- the order ------------------------------------------------------------------------------------------------\n" +
  "\n" +
  "runPhase() {\n" +
  "  local phase=$1 capital=${1^} start=$SECONDS\n" +
  "  local off=\"dont${capital%Phase}\"\n" +
  "  if [ -n \"${!off:-}\" ]; then return; fi\n" +
  "  if [ \"$phase\" = checkPhase ] && [ -z \"${doCheck:-}\" ]; then return; fi\n" +
  "  currentPhase=$phase\n" +
  "  echo \"running $phase\"\n" +
  "  # The attribute of the phase's name stands in place of the function.\n" +
  "  if [ -n \"${!phase:-}\" ]; then eval \"${!phase}\"; else \"$phase\"; fi\n" +
  "  if [ $((SECONDS - start)) -ge 2 ]; then echo \"$phase took $((SECONDS - start)) s\"; fi\n" +
  "}\n" +
  "\n" +
  "genericBuild() {\n" +
  "  local phase\n" +
  "  cd \"$NIX_BUILD_TOP\"\n" +
  "  if [ -n \"${buildCommand:-}\" ]; then\n" +
  "    currentPhase=buildCommand\n" +
  "    eval \"$buildCommand\"\n" +
  "    return\n" +
  "  fi\n" +
  "  wordsOf phases\n" +
  "  if [ \"${#words[@]}\" -eq 0 ]; then words=(unpackPhase patchPhase configurePhase buildPhase checkPhase installPhase fixupPhase); fi\n" +
  "  for phase in \"${words[@]}\"; do runPhase \"$phase\"; done\n" +
  "}\n" +
  "\n" +
  "genericBuild\n";
