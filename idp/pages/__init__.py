"""Home, help and the pages that only inform."""
