// Generated from pkgs/by-name by cli/dev/generate-packages.ts.
import bash from "./by-name/ba/bash/package.ts";
import bubblewrap from "./by-name/bu/bubblewrap/package.ts";
import bzip2 from "./by-name/bz/bzip2/package.ts";
import cacert from "./by-name/ca/cacert/package.ts";
import coreutils from "./by-name/co/coreutils/package.ts";
import curl from "./by-name/cu/curl/package.ts";
import delve from "./by-name/de/delve/package.ts";
import diffutils from "./by-name/di/diffutils/package.ts";
import fd from "./by-name/fd/fd/package.ts";
import file from "./by-name/fi/file/package.ts";
import findutils from "./by-name/fi/findutils/package.ts";
import gawk from "./by-name/ga/gawk/package.ts";
import gcc from "./by-name/gc/gcc/package.ts";
import git from "./by-name/gi/git/package.ts";
import gnugrep from "./by-name/gn/gnugrep/package.ts";
import gnumake from "./by-name/gn/gnumake/package.ts";
import gnused from "./by-name/gn/gnused/package.ts";
import gnutar from "./by-name/gn/gnutar/package.ts";
import go from "./by-name/go/go/package.ts";
import gopls from "./by-name/go/gopls/package.ts";
import gzip from "./by-name/gz/gzip/package.ts";
import hello from "./by-name/he/hello/package.ts";
import htop from "./by-name/ht/htop/package.ts";
import iproute2 from "./by-name/ip/iproute2/package.ts";
import jq from "./by-name/jq/jq/package.ts";
import less from "./by-name/le/less/package.ts";
import nano from "./by-name/na/nano/package.ts";
import ncurses from "./by-name/nc/ncurses/package.ts";
import neovim from "./by-name/ne/neovim/package.ts";
import nginx from "./by-name/ng/nginx/package.ts";
import nodejs from "./by-name/no/nodejs/package.ts";
import oniguruma from "./by-name/on/oniguruma/package.ts";
import openssh from "./by-name/op/openssh/package.ts";
import openssl from "./by-name/op/openssl/package.ts";
import opensslLibraries from "./by-name/op/opensslLibraries/package.ts";
import patch from "./by-name/pa/patch/package.ts";
import patchelf from "./by-name/pa/patchelf/package.ts";
import pcre2 from "./by-name/pc/pcre2/package.ts";
import pnpm from "./by-name/pn/pnpm/package.ts";
import postgresql from "./by-name/po/postgresql/package.ts";
import procps from "./by-name/pr/procps/package.ts";
import python3 from "./by-name/py/python3/package.ts";
import redis from "./by-name/re/redis/package.ts";
import ripgrep from "./by-name/ri/ripgrep/package.ts";
import rsync from "./by-name/rs/rsync/package.ts";
import sqlite from "./by-name/sq/sqlite/package.ts";
import systemdNspawn from "./by-name/sy/systemd-nspawn/package.ts";
import tmux from "./by-name/tm/tmux/package.ts";
import tree from "./by-name/tr/tree/package.ts";
import tzdata from "./by-name/tz/tzdata/package.ts";
import unzip from "./by-name/un/unzip/package.ts";
import utilLinux from "./by-name/ut/util-linux/package.ts";
import vim from "./by-name/vi/vim/package.ts";
import wget from "./by-name/wg/wget/package.ts";
import xz from "./by-name/xz/xz/package.ts";
import yarn from "./by-name/ya/yarn/package.ts";
import zlib from "./by-name/zl/zlib/package.ts";
import zstd from "./by-name/zs/zstd/package.ts";
import type { Package, PackageDefinition } from "../core/index.ts";

/** Every package of the embedded set by its name. */
export const allPackages = {
  bash,
  bubblewrap,
  bzip2,
  cacert,
  coreutils,
  curl,
  delve,
  diffutils,
  fd,
  file,
  findutils,
  gawk,
  gcc,
  git,
  gnugrep,
  gnumake,
  gnused,
  gnutar,
  go,
  gopls,
  gzip,
  hello,
  htop,
  iproute2,
  jq,
  less,
  nano,
  ncurses,
  neovim,
  nginx,
  nodejs,
  oniguruma,
  openssh,
  openssl,
  opensslLibraries,
  patch,
  patchelf,
  pcre2,
  pnpm,
  postgresql,
  procps,
  python3,
  redis,
  ripgrep,
  rsync,
  sqlite,
  "systemd-nspawn": systemdNspawn,
  tmux,
  tree,
  tzdata,
  unzip,
  "util-linux": utilLinux,
  vim,
  wget,
  xz,
  yarn,
  zlib,
  zstd,
} as const satisfies Readonly<Record<string, PackageDefinition>>;

declare module "../core/package/packages.ts" {
  interface Packages {
    /** bash 5.2.37: shell of the GNU project. https://www.gnu.org/software/bash/ */
    readonly bash: Package;
    /** bubblewrap 0.12.0: runs a program in namespaces of its own. https://github.com/containers/bubblewrap */
    readonly bubblewrap: Package;
    /** bzip2 1.0.8: compression program by block sorting. https://sourceware.org/bzip2/ */
    readonly bzip2: Package;
    /** cacert 20250419: certificates of the authorities that Mozilla trusts. https://wiki.mozilla.org/CA */
    readonly cacert: Package;
    /** coreutils 9.7: basic file, shell and text tools of the GNU project. https://www.gnu.org/software/coreutils/ */
    readonly coreutils: Package;
    /** curl 8.14.1: transfers data by URL. https://curl.se/ */
    readonly curl: Package;
    /** delve 1.24.0: debugger for Go. https://github.com/go-delve/delve */
    readonly delve: Package;
    /** diffutils 3.10: diff, cmp and diff3 of the GNU project. https://www.gnu.org/software/diffutils/ */
    readonly diffutils: Package;
    /** fd 10.2.0: finds files by name, simply. https://github.com/sharkdp/fd */
    readonly fd: Package;
    /** file 5.46: tells what a file is. https://darwinsys.com/file/ */
    readonly file: Package;
    /** findutils 4.10.0: find, xargs and locate of the GNU project. https://www.gnu.org/software/findutils/ */
    readonly findutils: Package;
    /** gawk 5.2.1: awk of the GNU project. https://www.gnu.org/software/gawk/ */
    readonly gawk: Package;
    /** gcc 14.2.0: compilers for C and C++ of the GNU project. https://gcc.gnu.org/ */
    readonly gcc: Package;
    /** git 2.47.3: distributed version control. https://git-scm.com/ */
    readonly git: Package;
    /** gnugrep 3.11: searches text by regular expressions. https://www.gnu.org/software/grep/ */
    readonly gnugrep: Package;
    /** gnumake 4.4.1: make of the GNU project. https://www.gnu.org/software/make/ */
    readonly gnumake: Package;
    /** gnused 4.9: stream editor of the GNU project. https://www.gnu.org/software/sed/ */
    readonly gnused: Package;
    /** gnutar 1.35: tar of the GNU project. https://www.gnu.org/software/tar/ */
    readonly gnutar: Package;
    /** go 1.24.4: programming language. https://go.dev/ */
    readonly go: Package;
    /** gopls 0.16.1: language server for Go. https://go.dev/gopls/ */
    readonly gopls: Package;
    /** gzip 1.13: compression program of the GNU project. https://www.gnu.org/software/gzip/ */
    readonly gzip: Package;
    /** hello 2.10: program that prints a friendly greeting. https://www.gnu.org/software/hello/ */
    readonly hello: Package;
    /** htop 3.4.1: interactive viewer of processes. https://htop.dev/ */
    readonly htop: Package;
    /** iproute2 6.15.0: tools for the network: ip, ss, tc. https://wiki.linuxfoundation.org/networking/iproute2 */
    readonly iproute2: Package;
    /** jq 1.7.1: takes JSON apart and puts it together, on the command line. https://jqlang.org/ */
    readonly jq: Package;
    /** less 668: shows text a page at a time. https://www.greenwoodsoftware.com/less/ */
    readonly less: Package;
    /** nano 8.4: small editor of the GNU project. https://www.nano-editor.org/ */
    readonly nano: Package;
    /** ncurses 6.5: library for programs that draw on terminals, and the descriptions of these. https://invisible-island.net/ncurses/ */
    readonly ncurses: Package;
    /** neovim 0.10.4: editor that is extended in Lua. https://neovim.io/ */
    readonly neovim: Package;
    /** nginx 1.26.3: web server, reverse proxy and load balancer. https://nginx.org/ */
    readonly nginx: Package;
    /** nodejs 24.21.0: JavaScript outside of browsers, with npm. https://nodejs.org/ */
    readonly nodejs: Package;
    /** oniguruma 6.9.9: library of regular expressions for many encodings. https://github.com/kkos/oniguruma */
    readonly oniguruma: Package;
    /** openssh 10.0p1: client of the SSH protocol and its tools for keys. https://www.openssh.com/ */
    readonly openssh: Package;
    /** openssl 3.5.7: tools and libraries for TLS and cryptography. https://www.openssl.org/ */
    readonly openssl: Package;
    /** openssl-libraries 3.5.7: libraries and headers for TLS and cryptography, for programs built from source. https://www.openssl.org/ */
    readonly opensslLibraries: Package;
    /** patch 2.8: applies differences to files. https://savannah.gnu.org/projects/patch/ */
    readonly patch: Package;
    /** patchelf 0.18.0: changes the interpreter and the run path of programs. https://github.com/NixOS/patchelf */
    readonly patchelf: Package;
    /** pcre2 10.46: library of Perl's regular expressions, for texts of bytes. https://www.pcre.org/ */
    readonly pcre2: Package;
    /** pnpm 10.34.9: package manager for JavaScript that links from one store. https://pnpm.io/ */
    readonly pnpm: Package;
    /** postgresql 17.11: relational database. https://www.postgresql.org/ */
    readonly postgresql: Package;
    /** procps 4.0.4: tools for processes: ps, top, free, sysctl. https://gitlab.com/procps-ng/procps */
    readonly procps: Package;
    /** python3 3.13.5: programming language. https://www.python.org/ */
    readonly python3: Package;
    /** redis 8.0.2: database in memory. https://redis.io/ */
    readonly redis: Package;
    /** ripgrep 14.1.1: searches folders for a pattern, fast. https://github.com/BurntSushi/ripgrep */
    readonly ripgrep: Package;
    /** rsync 3.4.1: copies files and only what changed. https://rsync.samba.org/ */
    readonly rsync: Package;
    /** sqlite 3.46.1: relational database in one file. https://www.sqlite.org/ */
    readonly sqlite: Package;
    /** systemd-nspawn 257.13: boots a folder as a container. https://systemd.io/ */
    readonly "systemd-nspawn": Package;
    /** tmux 3.5a: terminal multiplexer. https://github.com/tmux/tmux/wiki */
    readonly tmux: Package;
    /** tree 2.2.1: lists folders as a tree. https://oldmanprogrammer.net/source.php?dir=projects/tree */
    readonly tree: Package;
    /** tzdata 2026c: time zones of the world. https://www.iana.org/time-zones */
    readonly tzdata: Package;
    /** unzip 6.0: unpacks zip archives. https://infozip.sourceforge.net/ */
    readonly unzip: Package;
    /** util-linux 2.41.5: tools of the Linux system: nsenter, mount, lsblk and others. https://github.com/util-linux/util-linux */
    readonly "util-linux": Package;
    /** vim 9.1.1230: editor, the improved vi. https://www.vim.org/ */
    readonly vim: Package;
    /** wget 1.25.0: downloads files from the web. https://www.gnu.org/software/wget/ */
    readonly wget: Package;
    /** xz 5.8.1: compression program for the xz and lzma formats. https://tukaani.org/xz/ */
    readonly xz: Package;
    /** yarn 1.22.22: package manager for JavaScript, the first line of Yarn. https://classic.yarnpkg.com/ */
    readonly yarn: Package;
    /** zlib 1.3.1: library that compresses in the deflate format. https://zlib.net/ */
    readonly zlib: Package;
    /** zstd 1.5.7: fast compression program. https://facebook.github.io/zstd/ */
    readonly zstd: Package;
  }
}
