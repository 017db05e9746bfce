{ inherit ({ apple = 1; }) appel; }
