"""From text to AST: one grammar for mappings, one for header expressions."""
