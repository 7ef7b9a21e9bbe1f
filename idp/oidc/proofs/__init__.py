"""Proofs of possession and the JSON they are made of: DPoP, certificates, used proofs."""
