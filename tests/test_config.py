from __future__ import annotations

import pytest

from idp.config import ConfigurationError, folder, read_settings


def test_every_mistake_is_listed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment with three wrong variables learns of the three in one go, each by its name."""
    monkeypatch.setenv("IDP_ISSUER", "http://id.example/")
    monkeypatch.setenv("IDP_DATABASE_URL", "mysql://x")
    monkeypatch.setenv("IDP_WORKERS", "0")

    with pytest.raises(ConfigurationError) as caught:
        read_settings()

    assert [mistake.split(":")[0] for mistake in caught.value.mistakes] == [
        "IDP_ISSUER",
        "IDP_DATABASE_URL",
        "IDP_WORKERS",
    ]


@pytest.mark.parametrize(
    "issuer",
    [
        "http://id.example",
        "https://id.example/",
        "https://id.example?x=1",
        "ftp://id.example",
        "id.example",
        "https://",
    ],
)
def test_an_issuer_must_be_a_clean_https_address(issuer: str) -> None:
    """Anything but https without a final slash is refused outside loopback (protocol.md §6.22)."""
    with pytest.raises(ConfigurationError):
        read_settings(issuer=issuer)


@pytest.mark.parametrize("issuer", ["http://localhost:8000", "http://127.0.0.1:9", "https://id.example"])
def test_loopback_may_be_http(issuer: str) -> None:
    """A demonstration runs over http on loopback; cookies are Secure only over https."""
    assert read_settings(issuer=issuer).secure == issuer.startswith("https")


def test_the_demonstration_refuses_a_public_address() -> None:
    """Demonstration data and codes are public, so they never serve a public issuer."""
    with pytest.raises(ConfigurationError, match="IDP_DEMO"):
        read_settings(issuer="https://id.example", demo=True)


def test_secrets_of_the_settings_do_not_print() -> None:
    """The password of the mail server does not appear when settings are shown."""
    settings = read_settings(smtp_url="smtp://user:hunter2@mail.example:25")

    assert "hunter2" not in repr(settings)


def test_templates_are_found_in_a_checkout() -> None:
    """The two-place look-up finds a folder that lies beside the package."""
    assert (folder("templates")).is_dir()


@pytest.mark.parametrize("address", ["veille", "a@b, c@d", "Veille <a@b>", ""])
def test_the_address_of_the_alarm_is_one_address(address: str) -> None:
    """A mistake here would be noticed on the worst day."""
    with pytest.raises(ConfigurationError):
        read_settings(alarm_email=address)
    assert read_settings(alarm_email="veille@fournisseur.example").alarm_email == "veille@fournisseur.example"


@pytest.mark.parametrize("storage", ["memcached://cache", "valkey", "postgresql://db", "memory://x"])
def test_the_shield_counts_where_it_can(storage: str) -> None:
    """An unknown storage is told at start, not at the first request."""
    with pytest.raises(ConfigurationError, match="IDP_RATE_LIMIT_STORAGE"):
        read_settings(rate_limit_storage=storage)
