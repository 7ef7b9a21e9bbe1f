"""How an agency learns who acts for whom: OpenID Connect and OAuth 2.0.

- ``authorization``  a request from ``/authorize`` to its response: parsing, checks, PAR, JAR, consents, JARM
- ``token``          the back channel: grants, refreshing, introspection, revocation, what is issued
- ``proofs``         what binds a token to its client: DPoP, certificates, single use of a proof
- ``clients``        registration, metadata, authentication and keys of the clients of agencies
- ``claims``         the claims a client asks for and those it receives
- ``keys``           the keys that sign · ``logout``  the end of a session · ``events``  SSF and CAEP
- ``domain``         the provider's metadata, the security profiles, the rules for addresses
- ``views``          the routes

Each room keeps its rules in a package named ``domain``, which knows neither the web nor the database.
"""
