with builtins; [ (baseNameOf "/a/b/") (baseNameOf "a") (baseNameOf /x/y) (dirOf "/a/b") (dirOf "a") (dirOf /x/y) (dirOf "/a") (baseNameOf "") ]
