# The builder of mkDerivation. It runs in the sandbox with the attributes of the build as shell variables (lists
# as arrays), and turns $src into the outputs, phase by phase.
#
# A phase is the function named for it, or the attribute of that name in its place. Before and after each phase
# the hooks preX and postX run: functions, attributes, or what inputs' setup hooks put into the arrays
# preXHooks and postXHooks.
set -eu -o pipefail
shopt -s nullglob inherit_errexit
umask 022
export LC_ALL=C TZ=UTC

# shellcheck disable=SC1090
source "$NIX_ATTRS_SH_FILE"

export NIX_BUILD_TOP TMPDIR
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-315532800} ZERO_AR_DATE=1
export HOME=/homeless-shelter
unset SSL_CERT_FILE NIX_SSL_CERT_FILE

# --- messages -------------------------------------------------------------------------------------------------

currentPhase=setup
fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  local line
  for line; do printf '  %s\n' "$line" >&2; done
  exit 1
}
onExit() {
  local status=$?
  if [ "$status" -ne 0 ]; then
    printf 'error: %s failed with exit code %s\n' "$currentPhase" "$status" >&2
    runHook failureHook || true
  fi
  return "$status"
}
trap onExit EXIT

isFunction() { [ "$(type -t "$1")" = function ]; }

# Runs what goes by the name: setup hooks' array, then the function or the attribute.
runHook() {
  local -n hooks="${1}Hooks"
  local hook
  # Setup hooks append the names of functions; an array that none touched is not there.
  for hook in ${hooks[@]+"${hooks[@]}"}; do runCode "$hook"; done
  runCode "$1"
}
runCode() {
  if isFunction "$1"; then "$1"
  elif [ -n "${!1:-}" ]; then eval "${!1}"
  fi
}

# The tools of setup itself: the build root's, or packages.
basePath=
if declare -p initialInputs >/dev/null 2>&1; then
  for input in "${initialInputs[@]}"; do basePath+="$input/bin:"; done
fi
export PATH="$basePath/usr/bin"

# --- outputs --------------------------------------------------------------------------------------------------

outputNames=()
for output in "${!outputs[@]}"; do outputNames+=("$output"); done
IFS=$'\n' read -r -d '' -a outputNames < <(printf '%s\n' "${outputNames[@]}" | sort && printf '\0')
for output in "${outputNames[@]}"; do
  declare "$output=${outputs[$output]}"
  export "${output?}"
done
# The path of the first output that there is.
outputOr() {
  local name
  for name; do
    if [ -n "${outputs[$name]:-}" ]; then
      printf %s "${outputs[$name]}"
      return
    fi
  done
  printf %s "${outputs[${outputNames[0]}]}"
}
prefix=$(outputOr out)
outputBin=$(outputOr bin out)
outputLib=$(outputOr lib out)
outputDev=$(outputOr dev out)
outputMan=$(outputOr man bin out)
outputDoc=$(outputOr doc out)
export prefix

# The attributes of env, and nothing else, are the environment of the tools.
if declare -p env >/dev/null 2>&1; then
  for name in "${!env[@]}"; do export "$name=${env[$name]}"; done
fi

# --- inputs ---------------------------------------------------------------------------------------------------

declare -A seenInputs=()
allInputs=()
addInput() {
  local input=$1 more
  [ -z "$input" ] && return
  [ -n "${seenInputs[$input]:-}" ] && return
  seenInputs[$input]=1
  allInputs+=("$input")
  if [ -f "$input/nix-support/propagated-build-inputs" ]; then
    for more in $(<"$input/nix-support/propagated-build-inputs"); do addInput "$more"; done
  fi
}

hostPath=
toolPath=
if declare -p nativeBuildInputs >/dev/null 2>&1; then
  for input in "${nativeBuildInputs[@]}"; do
    addInput "$input"
    [ -d "$input/bin" ] && toolPath+="$input/bin:"
  done
fi
nativeInputs=("${allInputs[@]}")
allInputs=()
for list in buildInputs propagatedBuildInputs; do
  if declare -p "$list" >/dev/null 2>&1; then
    declare -n items=$list
    for input in "${items[@]}"; do addInput "$input"; done
    unset -n items
  fi
done

multiarch=x86_64-linux-gnu
compileFlags=()
linkFlags=()
pkgConfigPath=
for input in "${allInputs[@]}"; do
  [ -d "$input/bin" ] && hostPath+="$input/bin:"
  # Packages made of Debian's keep its folders for one architecture.
  for folder in include "include/$multiarch"; do
    [ -d "$input/$folder" ] && compileFlags+=(-isystem "$input/$folder")
  done
  for folder in lib "lib/$multiarch"; do
    [ -d "$input/$folder" ] && linkFlags+=("-L$input/$folder" "-Wl,-rpath,$input/$folder")
  done
  for folder in lib "lib/$multiarch" share; do
    [ -d "$input/$folder/pkgconfig" ] && pkgConfigPath+="$input/$folder/pkgconfig:"
  done
done
# The build root's own libraries are no inputs: what is found must be in the store.
export PKG_CONFIG_PATH=${pkgConfigPath%:} PKG_CONFIG_LIBDIR=

# --- compiler -------------------------------------------------------------------------------------------------

# Scripts that stand before the build root's compiler and make results refer to the store alone.
wrapCompiler() {
  local folder=$1 name flags links
  mkdir -p "$folder"
  for output in "${outputNames[@]}"; do linkFlags+=("-Wl,-rpath,${outputs[$output]}/lib"); done
  linkFlags+=("-Wl,--dynamic-linker=$glibc/lib/$multiarch/ld-linux-x86-64.so.2" "-Wl,-rpath,$glibc/lib/$multiarch" "-Wl,-z,relro,-z,now")
  compileFlags+=("-ffile-prefix-map=$NIX_BUILD_TOP=." "-frandom-seed=${prefix##*/}" -fstack-protector-strong)
  flags=$(printf ' %q' "${compileFlags[@]}")
  links=$(printf ' %q' "${linkFlags[@]}")
  for name in gcc g++ cc c++ cpp; do
    [ -x "/usr/bin/$name" ] || continue
    {
      printf '#!/bin/sh\n'
      # Fortified functions need optimisation, and a compiler without a file is asked about itself.
      printf 'case " $* " in\n  *" -O"[123s]*) fortify="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2" ;;\n  *) fortify= ;;\nesac\n'
      if [ "$name" = cpp ]; then printf 'exec /usr/bin/%s $fortify "$@"%s\n' "$name" "$flags"
      else printf 'exec /usr/bin/%s $fortify "$@"%s%s $NIX_CFLAGS_COMPILE $NIX_LDFLAGS\n' "$name" "$flags" "$links"
      fi
    } >"$folder/$name"
    chmod +x "$folder/$name"
  done
}

buildRootPath=
if [ -n "${__buildRoot:-}" ]; then
  wrapCompiler "$NIX_BUILD_TOP/.compiler"
  export NIX_CFLAGS_COMPILE=${NIX_CFLAGS_COMPILE:-} NIX_LDFLAGS=${NIX_LDFLAGS:-}
  export CC=${CC:-gcc} CXX=${CXX:-g++} AR=${AR:-ar} RANLIB=${RANLIB:-ranlib}
  export CFLAGS=${CFLAGS:--O2 -pipe} CXXFLAGS=${CXXFLAGS:--O2 -pipe}
  buildRootPath=/usr/bin:/usr/sbin:
  toolPath="$NIX_BUILD_TOP/.compiler:$toolPath"
fi
PATH="$toolPath$hostPath$basePath$buildRootPath"
export PATH=${PATH%:}

for input in "${nativeInputs[@]}" "${allInputs[@]}"; do
  # shellcheck disable=SC1091
  if [ -f "$input/nix-support/setup-hook" ]; then source "$input/nix-support/setup-hook"; fi
done

# --- phases ---------------------------------------------------------------------------------------------------

# Words of an attribute that may be a list or a text, into the array `words`.
wordsOf() {
  words=()
  local name
  for name; do
    declare -p "$name" >/dev/null 2>&1 || continue
    if [[ "$(declare -p "$name")" =~ ^declare\ -[A-Za-z]*a ]]; then
      local -n list=$name
      words+=("${list[@]}")
      unset -n list
    elif [ -n "${!name}" ]; then
      local -a split
      read -r -d "" -a split <<<"${!name}" || true
      words+=("${split[@]}")
    fi
  done
}

unpackFile() {
  local file=$1 target
  if [ -d "$file" ]; then
    target=${file##*/}
    target=${target:33}
    cp -r --no-preserve=ownership "$file" "${target:-source}"
    chmod -R u+w "${target:-source}"
    return
  fi
  case "$file" in
    *.tar | *.tar.* | *.tgz | *.tbz2 | *.txz) tar --extract --no-same-owner --no-same-permissions --file "$file" ;;
    *.zip) unzip -qq "$file" ;;
    *) fail "the source $file is no archive that unpacking knows" "give unpackPhase, or dontUnpack" ;;
  esac
}

unpackPhase() {
  runHook preUnpack
  wordsOf srcs
  if [ "${#words[@]}" -eq 0 ]; then words=("${src:-}"); fi
  [ -n "${words[0]}" ] || fail "there is nothing to unpack: neither src nor srcs is given" "give dontUnpack where that is meant"
  local file folder before=" $(printf '%s ' */)"
  for file in "${words[@]}"; do unpackFile "$file"; done
  if [ -z "${sourceRoot:-}" ]; then
    local found=()
    for folder in */; do [[ "$before" == *" $folder "* ]] || found+=("${folder%/}"); done
    [ "${#found[@]}" -eq 1 ] || fail "unpacking left ${#found[@]} folders, expected one: ${found[*]}" "name the one to build in sourceRoot"
    sourceRoot=${found[0]}
  fi
  chmod -R u+w -- "$sourceRoot"
  cd "$sourceRoot"
  runHook postUnpack
}

patchPhase() {
  runHook prePatch
  wordsOf patches
  local file
  for file in "${words[@]}"; do
    echo "applying $file"
    case "$file" in
      *.gz) gzip -d <"$file" ;;
      *.xz) xz -d <"$file" ;;
      *.bz2) bzip2 -d <"$file" ;;
      *) cat "$file" ;;
    esac | patch -p1 --forward
  done
  runHook postPatch
}

configurePhase() {
  runHook preConfigure
  local script=${configureScript:-./configure}
  if [ -x "$script" ]; then
    local flags=()
    if [ -z "${dontAddPrefix:-}" ]; then flags+=("--prefix=$prefix"); fi
    # What only generated scripts understand.
    if grep -q 'Generated by GNU Autoconf' "$script"; then
      flags+=("--bindir=$outputBin/bin" "--sbindir=$outputBin/sbin" "--libdir=$outputLib/lib" "--includedir=$outputDev/include"
        "--mandir=$outputMan/share/man" "--docdir=$outputDoc/share/doc/${pname:-$name}" "--infodir=$outputDoc/share/info")
      if grep -q enable-dependency-tracking "$script"; then flags+=(--disable-dependency-tracking); fi
      if [ -z "${withStatic:-}" ] && grep -q enable-static "$script"; then flags+=(--disable-static); fi
    fi
    wordsOf configureFlags
    flags+=("${words[@]}")
    echo "$script ${flags[*]}"
    "$script" "${flags[@]}"
  fi
  runHook postConfigure
}

hasMakefile() { [ -f Makefile ] || [ -f makefile ] || [ -f GNUmakefile ]; }

runMake() {
  local parallel=(-j1)
  if [ "${enableParallelBuilding:-1}" = 1 ]; then parallel=("-j${NIX_BUILD_CORES:-1}"); fi
  echo "make ${parallel[*]} $*"
  make "${parallel[@]}" "$@"
}

buildPhase() {
  runHook preBuild
  if hasMakefile; then
    wordsOf makeFlags buildFlags
    runMake "${words[@]}"
  fi
  runHook postBuild
}

checkPhase() {
  runHook preCheck
  if hasMakefile; then
    wordsOf makeFlags checkFlags
    runMake "${words[@]}" "${checkTarget:-check}"
  fi
  runHook postCheck
}

installPhase() {
  runHook preInstall
  mkdir -p "$prefix"
  if hasMakefile; then
    wordsOf makeFlags installFlags
    local targets=()
    read -r -a targets <<<"${installTargets:-install}"
    runMake "${words[@]}" "${targets[@]}"
  fi
  runHook postInstall
}

# --- fixup ----------------------------------------------------------------------------------------------------

# Fills the arrays elfFiles and scriptFiles with the files of one output by what they begin with.
sortFiles() {
  elfFiles=()
  scriptFiles=()
  local file magic
  while IFS= read -r -d '' file; do
    magic=
    IFS= read -r -n 4 magic <"$file" 2>/dev/null || true
    case "$magic" in
      $'\x7fELF') elfFiles+=("$file") ;;
      '#!'*) scriptFiles+=("$file") ;;
    esac
  done < <(find "$1" -type f -print0 | sort -z)
}

moveToOutput() {
  local from=$1 path=$2 to=$3
  if [ "$from" = "$to" ] || [ ! -e "$from/$path" ]; then return; fi
  mkdir -p "$to/${path%/*}"
  cp -a "$from/$path/." "$to/$path/"
  rm -rf "${from:?}/$path"
  rmdir --ignore-fail-on-non-empty --parents "$from/${path%/*}" 2>/dev/null || true
}

splitOutputs() {
  local path
  for path in share/man; do moveToOutput "$prefix" "$path" "$outputMan"; done
  for path in share/doc share/info; do moveToOutput "$prefix" "$path" "$outputDoc"; done
  if [ "$outputDev" != "$prefix" ]; then
    for path in include lib/pkgconfig share/pkgconfig share/aclocal; do
      moveToOutput "$prefix" "$path" "$outputDev"
      moveToOutput "$outputLib" "$path" "$outputDev"
    done
  fi
}

stripOutput() {
  local file
  for file in "${elfFiles[@]}"; do
    case "$file" in
      *.o | *.ko) ;;
      *)
        [ -w "$file" ] || chmod u+w "$file"
        strip --strip-unneeded --preserve-dates "$file" || fail "cannot strip $file"
        ;;
    esac
  done
  while IFS= read -r -d '' file; do
    strip --strip-debug --enable-deterministic-archives "$file"
  done < <(find "$1" -type f -name '*.a' -print0)
}

# The interpreter of a script as a path in the store: `#!/bin/sh` and `#!/usr/bin/env python3` alike.
rewriteShebangs() {
  local file line interpreter arguments program found
  for file in "${scriptFiles[@]}"; do
    [ -x "$file" ] || continue
    IFS= read -r line <"$file"
    read -r interpreter arguments <<<"${line#\#!}"
    [[ "$interpreter" == "$NIX_STORE"/* ]] && continue
    program=${interpreter##*/}
    if [ "$program" = env ]; then
      arguments=${arguments#-S }
      read -r program arguments <<<"$arguments"
    fi
    found=$(PATH=$hostPath${runtimeShell:+$runtimeShell/bin} type -P "$program" || true)
    [ -n "$found" ] || fail "the script $file wants $program, which no input holds" "its first line is $line" "add the package to buildInputs"
    sed -i "1s|.*|#!$found${arguments:+ $arguments}|" "$file"
  done
}

shrinkRunPaths() {
  local file
  for file in "${elfFiles[@]}"; do
    case "$file" in *.o | *.ko | *.a) continue ;; esac
    if isDynamic "$file"; then patchelf --shrink-rpath --allowed-rpath-prefixes "$NIX_STORE" "$file"; fi
  done
}

isDynamic() { readelf --wide --program-headers "$1" 2>/dev/null | grep -q '^ *DYNAMIC '; }

# Each of these breaks on the next machine, where neither the build root nor the build folder is.
checkReferences() {
  local output=$1 file line problems=()
  for file in "${elfFiles[@]}"; do checkElf "$file"; done
  for file in "${scriptFiles[@]}"; do
    [ -x "$file" ] || continue
    IFS= read -r line <"$file"
    line=${line#\#!}
    line=${line# }
    [[ "$line" == "$NIX_STORE"/* ]] || problems+=("$file: the interpreter \"$line\" is not in the store")
  done
  while IFS= read -r -d '' file; do
    line=$(grep -nE '(^|[^[:alnum:]_.-])/(usr|build)(/|$)' "$file" | head -n 1 || true)
    [ -z "$line" ] || problems+=("$file: line $line names a folder outside of the store")
  done < <(find "$output" -type f -name '*.pc' -print0)
  while IFS= read -r file; do
    [ -z "$file" ] || problems+=("$file: holds the path of the build folder $NIX_BUILD_TOP/${sourceRoot:-}")
  done < <([ -n "${sourceRoot:-}" ] && grep -rlF "$NIX_BUILD_TOP/$sourceRoot" "$output" || true)
  while IFS= read -r -d '' file; do
    line=$(readlink "$file")
    case "$line" in
      "$NIX_STORE"/*) ;;
      /*) problems+=("$file: the link goes to \"$line\", outside of the store") ;;
    esac
  done < <(find "$output" -type l -print0)
  [ "${#problems[@]}" -eq 0 ] || fail "${#problems[@]} references of $output do not go to store paths:" "${problems[@]}"
}

checkElf() {
  local file=$1 interpreter runPath needed entry found
  case "$file" in *.o | *.ko | *.a) return ;; esac
  isDynamic "$file" || return 0
  interpreter=$(patchelf --print-interpreter "$file" 2>/dev/null || true)
  case "$interpreter" in
    "" | "$NIX_STORE"/*) ;;
    *) problems+=("$file: the interpreter \"$interpreter\" is not in the store") ;;
  esac
  local folders=()
  runPath=$(patchelf --print-rpath "$file")
  IFS=: read -r -a folders <<<"$runPath"
  for entry in "${folders[@]}"; do
    case "$entry" in
      "$NIX_STORE"/* | '$ORIGIN'*) ;;
      *) problems+=("$file: the run path \"$entry\" is not in the store") ;;
    esac
  done
  while IFS= read -r needed; do
    [ -n "$needed" ] || continue
    found=
    # A library's users bring the loader and the C library.
    case "$needed" in ld-linux-*) continue ;; esac
    for entry in "${folders[@]}"; do
      if [ -e "${entry//'$ORIGIN'/${file%/*}}/$needed" ]; then found=1; fi
    done
    [ -n "$found" ] || problems+=("$file: needs \"$needed\", which no folder of its run path holds ($runPath)")
  done < <(patchelf --print-needed "$file")
}

fixupPhase() {
  runHook preFixup
  local output folder
  splitOutputs
  for output in "${outputNames[@]}"; do
    folder=${outputs[$output]}
    # An output that nothing went into is a mistake, but for the conventional ones it is a lesser one.
    if [ ! -e "$folder" ] && [ ! -L "$folder" ]; then
      case "$output" in
        man | doc | info | dev) mkdir -p "$folder" ;;
        *) fail "the build made no output \"$output\"" "expected $folder" ;;
      esac
    fi
    [ -d "$folder" ] || continue
    find "$folder" -type f -name '*.la' -delete
    chmod -R u+w "$folder"
    sortFiles "$folder"
    if [ -n "${__buildRoot:-}" ] && [ -z "${dontStrip:-}" ]; then stripOutput "$folder"; fi
    if [ -n "${__buildRoot:-}" ] && [ -z "${dontShrinkRunPaths:-}" ]; then shrinkRunPaths; fi
    if [ -z "${dontRewriteShebangs:-}" ]; then rewriteShebangs; fi
  done
  writeSupport
  runHook postFixup
  for output in "${outputNames[@]}"; do
    folder=${outputs[$output]}
    [ -d "$folder" ] || continue
    if [ -n "${__buildRoot:-}" ] && [ -z "${dontCheckReferences:-}" ]; then
      sortFiles "$folder"
      checkReferences "$folder"
    fi
  done
}

# What those who use the package find beside it.
writeSupport() {
  wordsOf propagatedBuildInputs
  local inputs=("${words[@]}")
  if [ "$outputDev" != "$outputLib" ]; then inputs+=("$outputLib"); fi
  if [ "${#inputs[@]}" -gt 0 ]; then
    mkdir -p "$outputDev/nix-support"
    printf '%s\n' "${inputs[@]}" >"$outputDev/nix-support/propagated-build-inputs"
  fi
  if [ -n "${setupHook:-}" ]; then
    mkdir -p "$outputDev/nix-support"
    cp "$setupHook" "$outputDev/nix-support/setup-hook"
  fi
}

# --- the order ------------------------------------------------------------------------------------------------

runPhase() {
  local phase=$1 capital=${1^} start=$SECONDS
  local off="dont${capital%Phase}"
  if [ -n "${!off:-}" ]; then return; fi
  if [ "$phase" = checkPhase ] && [ -z "${doCheck:-}" ]; then return; fi
  currentPhase=$phase
  echo "running $phase"
  # The attribute of the phase's name stands in place of the function.
  if [ -n "${!phase:-}" ]; then eval "${!phase}"; else "$phase"; fi
  if [ $((SECONDS - start)) -ge 2 ]; then echo "$phase took $((SECONDS - start)) s"; fi
}

genericBuild() {
  local phase
  cd "$NIX_BUILD_TOP"
  if [ -n "${buildCommand:-}" ]; then
    currentPhase=buildCommand
    eval "$buildCommand"
    return
  fi
  wordsOf phases
  if [ "${#words[@]}" -eq 0 ]; then words=(unpackPhase patchPhase configurePhase buildPhase checkPhase installPhase fixupPhase); fi
  for phase in "${words[@]}"; do runPhase "$phase"; done
}

genericBuild
