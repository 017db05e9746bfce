with throw "used"; a
