"""The copy of everything that Mandat stores about one person: its schema, its gathering from the contexts, its pages."""
