let or = 1; in { inherit or; a = { or = 2; }.or; }
