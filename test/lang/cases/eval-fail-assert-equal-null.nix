assert null == 1; 3
