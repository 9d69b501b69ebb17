"""How findings and selections are shown."""
