"""The way back: forgotten password, lost user code, lost factor, proof of identity by another person."""
