let aVeryLongNameThatIsUsedOnlyOnceInThisWholeCaseOfTheLanguage = 1; in aVeryLongNameThatIsUsedOnlyOnceInThisWholeCaseOfTheLanguage + (throw "after a long line")
