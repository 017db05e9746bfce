/** doc */ x: /** inner */ y: 1
