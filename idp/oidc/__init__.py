"""How an agency learns who acts for whom: OpenID Connect and OAuth 2.0.

- a request: ``requests`` (one immutable value), ``asking``, ``checks`` (an ordered table), ``request_objects`` (JAR),
  ``pushing`` (PAR)
- the way to the answer: ``interactions`` (pure ``next_step``), ``situations`` (its facts), ``consent_services``,
  ``responses``, ``jarm``
- the back channel: ``server``, ``grants``, ``refreshing``, ``introspecting``, ``revoking``, ``client_credentials``, ``system_*``
- what holds a token to its holder: ``possession``, ``proofs`` (DPoP), ``resource``, ``foreign_jwts``, ``replay_services``
- what is issued: ``issuing``, ``tokens``, ``narrowing``, ``grant_services``, ``metadata``, ``profiles``
- the end of a session: ``logout``, ``logout_services``
- rooms of their own: ``parties`` (clients), ``keys``, ``claims``, ``events`` (SSF and CAEP), ``views``; ``playground``
"""
