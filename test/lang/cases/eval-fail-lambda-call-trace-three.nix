let f = x: y: z: throw "three"; in f 1 2 3
