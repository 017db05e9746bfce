throw /does/not/exist
