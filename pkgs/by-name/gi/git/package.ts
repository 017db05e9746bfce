import { defineSeedPackage } from "../../../build-support/define-seed-package.ts";

export default defineSeedPackage({
  pname: "git",
  description: "distributed version control",
  homepage: "https://git-scm.com/",
  license: "GPL-2.0-only",
  mainProgram: "git",
  seeds: ["git"],
  companions: ["openssh-client", "less"],
  wrappers: ({ cacert }) => ({
    "bin/git": {
      env: { GIT_EXEC_PATH: "$out/lib/git-core" },
      defaults: {
        GIT_TEMPLATE_DIR: "$out/share/git-core/templates",
        GIT_SSL_CAINFO: `${cacert}/etc/ssl/certs/ca-bundle.crt`,
        // The last places that git looks at, so that any configuration wins.
        GIT_SSH: "$out/libexec/bin/ssh",
        PAGER: "$out/libexec/bin/less",
      },
    },
  }),
  test: ({ self }) => `
    export HOME=$PWD
    ${self}/bin/git init --quiet project
    cd project
    echo hello > file
    ${self}/bin/git add file
    ${self}/bin/git -c user.name=a -c user.email=a@b commit --quiet --message first
    ${self}/bin/git log --oneline > $out
  `,
});
