"${{ outPath = "/o"; }}"
