let a = "x"; in "${a}-${a + "y"}-${"z"}"
