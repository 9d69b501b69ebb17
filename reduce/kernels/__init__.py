"""Arrays in, new arrays out: the arithmetic of the reduction, without headers or files."""
