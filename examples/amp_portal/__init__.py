"""The AMP portal of the demonstration: an ordinary OpenID Connect client.

It needs only the provider's address and a client registration. It obeys the nine rules of a relying party
(docs/relying-parties.md): ``oidc`` verifies, ``signals`` receives change events, ``sessions`` keeps the received claims
and their expiry, ``access`` decides from the functional blocks alone, ``guard`` checks the block of each page,
``views`` has the front page and the way in and out.

The business is small but whole: ``applications`` has the rules and states of an application (pure),
``application_store`` and ``store`` the rows, ``application_views``, ``services`` and ``acts`` the pages, ``kept`` the
text that could not be written. ``forms`` and ``formats`` read and write what people type; ``words`` has every sentence
in both languages.
"""
