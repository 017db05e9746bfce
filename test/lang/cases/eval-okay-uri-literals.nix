[ http://example.com/a?b=c x:y ]
