({ alpha }: alpha) { alpa = 1; }
