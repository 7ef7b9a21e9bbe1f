"""Requests for access: a user asks for blocks, a person in charge grants all, a part or none of them."""
