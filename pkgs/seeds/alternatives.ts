/**
 * The links that Debian's packages make when they are installed (`update-alternatives`): link → what it may
 * stand for, the preferred first. A composed tree gets each link whose first existing candidate it has; the
 * form is that of the argument `alternatives` of `builtin:compose`.
 */
export const alternatives: Readonly<Record<string, readonly string[]>> = {
  "usr/bin/sh": ["usr/bin/dash", "usr/bin/bash"],
  "usr/bin/awk": ["usr/bin/gawk", "usr/bin/mawk"],
  "usr/bin/nawk": ["usr/bin/gawk", "usr/bin/mawk"],
  "usr/bin/which": ["usr/bin/which.debianutils"],
  "usr/bin/editor": ["usr/bin/nano", "usr/bin/nvim", "usr/bin/vim.basic"],
  "usr/bin/pico": ["usr/bin/nano"],
  "usr/bin/pager": ["usr/bin/less", "usr/bin/more"],
  "usr/bin/vi": ["usr/bin/vim.basic", "usr/bin/nvim"],
  "usr/bin/vim": ["usr/bin/vim.basic", "usr/bin/nvim"],
  "usr/bin/view": ["usr/bin/vim.basic", "usr/libexec/neovim/view"],
  "usr/bin/ex": ["usr/bin/vim.basic", "usr/libexec/neovim/ex"],
  "usr/bin/vimdiff": ["usr/bin/vim.basic", "usr/libexec/neovim/vimdiff"],
  "usr/bin/cc": ["usr/bin/gcc"],
  "usr/bin/c++": ["usr/bin/g++"],
  "usr/bin/c89": ["usr/bin/c89-gcc"],
  "usr/bin/c99": ["usr/bin/c99-gcc"],
  "usr/bin/automake": ["usr/bin/automake-1.17"],
  "usr/bin/aclocal": ["usr/bin/aclocal-1.17"],
  "usr/bin/lzma": ["usr/bin/xz"],
  "usr/bin/unlzma": ["usr/bin/xz"],
  "usr/bin/lzcat": ["usr/bin/xz"],
  "usr/bin/yacc": ["usr/bin/bison.yacc"],
  "usr/sbin/rmt": ["usr/sbin/rmt-tar"],
};
