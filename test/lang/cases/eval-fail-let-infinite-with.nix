with (let s = s; in s); a
