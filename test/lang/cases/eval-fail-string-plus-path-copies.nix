"a" + /does/not/exist
