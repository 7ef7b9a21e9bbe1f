"""What is told beyond the scopes: claims by name, levels of assurance, verified claims."""
