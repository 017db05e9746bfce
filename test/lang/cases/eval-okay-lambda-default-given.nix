({ a ? abort "no" }: a) { a = 2; }
