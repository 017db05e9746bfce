assert "a${"b"}" == ''c'' || false; 1
