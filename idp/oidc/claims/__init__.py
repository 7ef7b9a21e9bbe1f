"""What is returned beyond the scopes: claims by name, levels of assurance, verified claims."""
