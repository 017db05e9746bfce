"a" < null
