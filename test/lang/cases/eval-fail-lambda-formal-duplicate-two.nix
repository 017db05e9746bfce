{ b, a, a, b }: a
