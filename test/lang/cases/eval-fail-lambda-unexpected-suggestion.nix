({ apple, banana ? 1 }: 1) { apple = 1; bananna = 2; }
