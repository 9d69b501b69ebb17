"""Questions about whole archives: tables of headers, read, answered and written."""
