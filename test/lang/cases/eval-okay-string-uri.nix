[ http://example.org/a?b=c mailto:a@b.c x:y ]
