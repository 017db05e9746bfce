assert true == false; 3
