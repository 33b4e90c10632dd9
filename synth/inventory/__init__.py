"""Who held which address and labels, and when."""
