[ second first ]
