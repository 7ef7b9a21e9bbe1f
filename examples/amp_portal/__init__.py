"""The AMP portal of the demonstration: an ordinary OpenID Connect client.

It knows nothing of the provider but its address and a client registration. It obeys the nine rules of a relying party
(docs/relying-parties.md): ``oidc`` verifies, ``signals`` hears of changes, ``sessions`` keeps what was told and until when,
``access`` decides from the functional blocks alone, ``store`` is the small business data, ``views`` the pages.
"""
