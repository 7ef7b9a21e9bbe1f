"""The catalogue of agencies: blocks, questions, files."""
