# options: --json
"\t\r\n"
