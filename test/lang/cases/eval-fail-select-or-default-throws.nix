{ }.a or (throw "default")
