"""Rights: facts, authority, grants, projection, explanation, system users."""
