"""Cases with the answers of crds, and how calmap's answers compare with them."""
